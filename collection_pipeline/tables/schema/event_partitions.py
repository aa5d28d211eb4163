"""The weeks of `activity_events`: SQL functions that make partitions ahead of their time, and drop those that are over.

A partition is made and dropped by the owner of the table, whose rights the pipeline's login does not have; the
functions do it for the pipeline, and nothing else. Two tables are no weeks: `activity_events_default` takes what no
week is there for, and `activity_events_before` is the table as it was before it had partitions.

No function blocks writers for longer than its lock waits: a week is made beside the table and attached to it.
"""

from __future__ import annotations

TABLE = "activity_events"

DEFAULT, BEFORE = f"{TABLE}_default", f"{TABLE}_before"

_SETTINGS = """
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' SET lock_timeout = '1s'
"""

WEEKS = f"""
CREATE OR REPLACE FUNCTION event_weeks() RETURNS TABLE (name text, until timestamptz)
LANGUAGE sql STABLE {_SETTINGS} AS $$
    SELECT c.relname, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.{TABLE}'::regclass AND c.relname LIKE '{TABLE}\\_week\\_%%'
    ORDER BY 2
$$
"""  # noqa: S608

# A week that cannot be made, because its rows are elsewhere already, is left out; they are removed one by one later.
MAKE_WEEKS = f"""
CREATE OR REPLACE FUNCTION make_event_weeks(until timestamptz) RETURNS integer LANGUAGE plpgsql {_SETTINGS} AS $$
DECLARE
    week timestamptz := date_trunc('week', now());
    made integer := 0;
    name text;
BEGIN
    LOCK TABLE public.{TABLE} IN SHARE UPDATE EXCLUSIVE MODE;
    WHILE week < until LOOP
        name := '{TABLE}_week_' || to_char(week, 'YYYY_MM_DD');
        IF to_regclass('public.' || name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE public.%%I (LIKE public.{TABLE} INCLUDING ALL EXCLUDING IDENTITY)', name);
                EXECUTE format('ALTER TABLE public.{TABLE} ATTACH PARTITION public.%%I FOR VALUES FROM (%%L) TO (%%L)',
                               name, week, week + interval '7 days');
                made := made + 1;
            EXCEPTION WHEN check_violation OR invalid_object_definition THEN NULL;
            END;
        END IF;
        week := week + interval '7 days';
    END LOOP;
    RETURN made;
END $$
"""  # noqa: S608

DROP_WEEK = f"""
CREATE OR REPLACE FUNCTION drop_event_week(older_than timestamptz, OUT name text, OUT removed bigint)
LANGUAGE plpgsql {_SETTINGS} AS $$
BEGIN
    SELECT w.name INTO name FROM public.event_weeks() w WHERE w.until <= older_than ORDER BY w.until LIMIT 1;
    IF name IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM public.%%I', name) INTO removed;
        EXECUTE format('DROP TABLE public.%%I', name);
    END IF;
END $$
"""  # noqa: S608

DELETE_OUTSIDE_WEEKS = f"""
CREATE OR REPLACE FUNCTION delete_events_outside_weeks(older_than timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql {_SETTINGS} AS $$
DECLARE
    name text;
    removed bigint := 0;
    more bigint;
BEGIN
    FOREACH name IN ARRAY ARRAY['{DEFAULT}', '{BEFORE}'] LOOP
        CONTINUE WHEN to_regclass('public.' || name) IS NULL;
        EXECUTE format('DELETE FROM public.%%1$I WHERE ctid = ANY (ARRAY('
                       'SELECT ctid FROM public.%%1$I WHERE timestamp < $1 LIMIT $2))', name)
        USING older_than, most - removed;
        GET DIAGNOSTICS more = ROW_COUNT;
        removed := removed + more;
    END LOOP;
    RETURN removed;
END $$
"""  # noqa: S608

SIGNATURES = (
    "event_weeks()",
    "make_event_weeks(timestamptz)",
    "drop_event_week(timestamptz)",
    "delete_events_outside_weeks(timestamptz, integer)",
)

EVENT_PARTITIONS = (
    WEEKS,
    MAKE_WEEKS,
    DROP_WEEK,
    DELETE_OUTSIDE_WEEKS,
    "COMMENT ON FUNCTION event_weeks() IS 'The weekly partitions of activity_events, each with its end.'",
    "COMMENT ON FUNCTION make_event_weeks(timestamptz) IS "
    "'Makes the weekly partitions of activity_events from this week on; how many were missing.'",
    "COMMENT ON FUNCTION drop_event_week(timestamptz) IS "
    "'Drops the oldest week of activity_events that ended before a moment; its name and how many events it held.'",
    "COMMENT ON FUNCTION delete_events_outside_weeks(timestamptz, integer) IS "
    "'Deletes old events that lie in no weekly partition, at most so many; how many.'",
)
