"""Files of sellers that people take away and bring: formats only, no database and no framework.

Out: `columns` says what an export holds, `export` writes it whole or not at all, `writers` know one format each.
In: `settled` says which dropped files are finished; `reading` has a process of its own make rows of one (`isolation`
starts it, `reader` is it, `limits` bound it, `parsing` is its work); `planning` says what each row would do.
"""
