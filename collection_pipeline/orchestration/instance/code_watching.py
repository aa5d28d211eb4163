"""How often the web server and the daemon ask whether the code server is still the one they know.

Dagster asks every second, through two processes each, which is most of what an idle installation costs. Nothing depends
on a quick answer: a run is forked from a process that has been asked at that moment.
"""

from dagster._grpc import server_watcher

ASK_EVERY_S = 5


def ask_rarely() -> None:
    """Has this process ask every few seconds. Dagster has no setting for it."""
    server_watcher.WATCH_INTERVAL = ASK_EVERY_S
