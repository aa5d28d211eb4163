"""SQL functions for people who ask about a list's past, and the trigger that keeps that past readable.

The audit log alone is the truth. Replaying it takes seconds once it is long, so the database itself folds every new row
of it into `seller_versions`, from which the list at any moment is one query.
"""

from __future__ import annotations

from collection_pipeline.tables.schema.admission import ADMIT_CALL, COMMENT
from collection_pipeline.tables.schema.event_partitions import EVENT_PARTITIONS
from collection_pipeline.tables.schema.figures import FIGURES

_LISTED = "marketplace text, seller_key text, display_name text, status text, note text, is_flagged boolean"

# One index lookup per changed seller, whatever the planner believes of a table that was small a moment ago. It runs
# with the rights of the tables' owner: who adds to the log needs none to change the versions that are made of it.
KEEP_VERSIONS = f"""
CREATE OR REPLACE FUNCTION keep_seller_versions() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE changed record;
BEGIN
    FOR changed IN
        SELECT c.marketplace, c.seller_key
        FROM jsonb_to_recordset(NEW.old_values || NEW.new_values) AS c(marketplace text, seller_key text)
    LOOP
        UPDATE seller_versions v SET to_audit_id = NEW.id
        WHERE v.org_id = NEW.org_id AND v.marketplace = changed.marketplace AND v.seller_key = changed.seller_key
          AND v.to_audit_id IS NULL;
    END LOOP;
    INSERT INTO seller_versions
        (org_id, marketplace, seller_key, from_audit_id, display_name, status, note, is_flagged)
    SELECT NEW.org_id, n.marketplace, n.seller_key, NEW.id, n.display_name, n.status, n.note,
           coalesce(n.is_flagged, false)
    FROM jsonb_to_recordset(NEW.new_values) AS n({_LISTED});
    RETURN NULL;
END $$
"""  # noqa: S608

TRIGGER = """
CREATE OR REPLACE TRIGGER keep_seller_versions AFTER INSERT ON seller_audit_log
FOR EACH ROW EXECUTE FUNCTION keep_seller_versions()
"""

LIST_AT = f"""
CREATE OR REPLACE FUNCTION seller_list_at(of_org text, at_audit_id bigint) RETURNS TABLE ({_LISTED})
LANGUAGE sql STABLE AS $$
    SELECT v.marketplace, v.seller_key, v.display_name, v.status, v.note, v.is_flagged
    FROM public.seller_versions v
    WHERE v.org_id = of_org AND v.from_audit_id <= at_audit_id
      AND (v.to_audit_id IS NULL OR v.to_audit_id > at_audit_id)
$$
"""  # noqa: S608

AUDIT_ID_AT = """
CREATE OR REPLACE FUNCTION audit_id_at(of_org text, moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(id), 0) FROM public.seller_audit_log WHERE org_id = of_org AND created_at <= moment
$$
"""

LIST_AT_MOMENT = f"""
CREATE OR REPLACE FUNCTION seller_list_at(of_org text, moment timestamptz) RETURNS TABLE ({_LISTED})
LANGUAGE sql STABLE AS $$
    SELECT * FROM public.seller_list_at(of_org, (SELECT public.audit_id_at(of_org, moment)))
$$
"""  # noqa: S608

LIST_DIFF = """
CREATE OR REPLACE FUNCTION seller_list_diff(of_org text, from_audit_id bigint, to_audit_id bigint)
RETURNS TABLE (change text, marketplace text, seller_key text, old_name text, new_name text,
               old_note text, new_note text, was_flagged boolean, is_flagged boolean)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN a.seller_key IS NULL THEN 'added' WHEN b.seller_key IS NULL THEN 'removed' ELSE 'changed' END,
           coalesce(a.marketplace, b.marketplace), coalesce(a.seller_key, b.seller_key),
           a.display_name, b.display_name, a.note, b.note, a.is_flagged, b.is_flagged
    FROM (SELECT * FROM public.seller_list_at(of_org, from_audit_id) l WHERE l.status = 'active') a
    FULL JOIN (SELECT * FROM public.seller_list_at(of_org, to_audit_id) l WHERE l.status = 'active') b
      ON b.marketplace = a.marketplace AND b.seller_key = a.seller_key
    WHERE (a.display_name, a.note, a.is_flagged) IS DISTINCT FROM (b.display_name, b.note, b.is_flagged)
$$
"""

IS_ERASED = """
CREATE OR REPLACE FUNCTION is_erased(of_marketplace text, of_key text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM public.erased_sellers e
        WHERE e.digest = sha256(convert_to(e.salt || ':' || of_marketplace || ':' || of_key, 'UTF8'))
    )
$$
"""

COMMENTS = (
    COMMENT,
    "COMMENT ON FUNCTION is_erased(text, text) IS 'Whether the seller with this key asked to be forgotten.'",
    "COMMENT ON FUNCTION seller_list_at(text, bigint) IS "
    "'The list of an organisation as it was right after a row of its audit log, removed sellers included.'",
    "COMMENT ON FUNCTION seller_list_at(text, timestamptz) IS "
    "'The list of an organisation as it was at a moment, removed sellers included.'",
    "COMMENT ON FUNCTION audit_id_at(text, timestamptz) IS "
    "'The last row of an organisation''s audit log at a moment; 0 before the first.'",
    "COMMENT ON FUNCTION seller_list_diff(text, bigint, bigint) IS "
    "'Active sellers that were added, removed or changed between two rows of the audit log.'",
)

FUNCTIONS = (
    KEEP_VERSIONS,
    TRIGGER,
    LIST_AT,
    AUDIT_ID_AT,
    LIST_AT_MOMENT,
    LIST_DIFF,
    IS_ERASED,
    ADMIT_CALL,
    *COMMENTS,
    *FIGURES,
    *EVENT_PARTITIONS,
)
