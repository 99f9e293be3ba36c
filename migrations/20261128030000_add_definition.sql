-- By which definition the service level of a stay is counted that was promised when it began. Written with
-- the rest of the promise; null in rows of before it was written down.
alter table queue_visit add column definition text
    check (definition in ('answered_only', 'negative', 'ignored', 'positive', 'short_excluded'));
