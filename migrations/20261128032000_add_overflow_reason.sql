-- Why the queue sent the caller elsewhere, by the record; null where the outcome is another, where the record
-- leaves more than one answer, and in rows of before it was written down.
alter table queue_visit add column overflow_reason text
    check (overflow_reason in ('overflow_maxwait', 'overflow_full', 'overflow_no_agent'));
