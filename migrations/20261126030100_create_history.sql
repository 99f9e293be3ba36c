-- What each finished stay in a queue was: live_* as live messages told it, record_* as Zoom's record
-- does, at least one of both. entered_at, left_at and outcome are the word that counts, the record's
-- where there is one. Written by the journal's writer on the keeper's order, all stays of a call
-- together; ordinal counts them in the order they began. Rows are kept for ever.
create table queue_visit (
    call_id text not null,
    ordinal integer not null,
    queue_id text not null,
    entered_at integer not null,
    left_at integer not null check (left_at >= entered_at),
    outcome text not null check (outcome <> 'waiting'),
    live_entered_at integer,
    live_left_at integer,
    live_outcome text,
    live_presumed integer not null default 0 check (live_presumed in (0, 1)),
    record_id text,
    record_entered_at integer,
    record_left_at integer,
    record_outcome text,
    -- When the call's record was read; null while none is known. Set without record_id where the call
    -- was written down without this stay.
    read_at integer,
    -- How live_* and record_* differ; null when they do not.
    difference text check (difference in ('missed', 'not_in_record', 'outcome', 'times')),
    -- The queue's promise at that time.
    threshold_seconds integer not null,
    short_abandon_seconds integer not null,
    target_permille integer not null,
    primary key (call_id, ordinal),
    check ((live_entered_at is null) = (live_outcome is null)),
    check ((record_entered_at is null) = (record_outcome is null)),
    check (live_outcome is not null or record_outcome is not null)
) strict, without rowid;

create index queue_visit_by_entered_at on queue_visit (queue_id, entered_at);

create index queue_visit_by_left_at on queue_visit (queue_id, left_at);

create index queue_visit_by_time on queue_visit (entered_at);

-- What was shown live and turned out otherwise: what was said, what the record says, when that was
-- read (read_at) and noted here. Written once by the journal's writer with the row of queue_visit
-- that it explains, never changed; a revised record adds a row. Rows are kept for ever.
create table correction (
    correction_id integer primary key not null,
    call_id text not null,
    queue_id text not null,
    difference text not null check (difference in ('missed', 'not_in_record', 'outcome', 'times')),
    live_entered_at integer,
    live_left_at integer,
    live_outcome text,
    record_entered_at integer,
    record_left_at integer,
    record_outcome text,
    read_at integer not null,
    noted_at integer not null
) strict;

create unique index correction_once on correction (
    call_id, queue_id, ifnull(live_entered_at, 0), ifnull(live_left_at, 0), ifnull(live_outcome, ''),
    ifnull(record_entered_at, 0), ifnull(record_left_at, 0), ifnull(record_outcome, '')
);

-- Sums of queue_visit over a quarter of an hour of UTC: entries where they entered, outcomes and waits
-- where they came about. Written by the journal's writer with the rows it sums up. revised_at: when it
-- last changed after it had been closed, a quarter of an hour after its end. Rows are kept for ever.
create table queue_quarter (
    queue_id text not null,
    began_at integer not null check (began_at % 900000 = 0),
    entered integer not null,
    answered integer not null,
    answered_in_time integer not null,
    abandoned integer not null,
    short_abandoned integer not null,
    overflowed integer not null,
    voicemail integer not null,
    transferred_out integer not null,
    answered_wait_ms integer not null,
    wait_ms integer not null,
    longest_wait_ms integer not null,
    -- Of the outcomes, those the record tells of.
    measured integer not null,
    revised_at integer,
    primary key (queue_id, began_at)
) strict, without rowid;

create index queue_quarter_by_began_at on queue_quarter (began_at);

-- How far history is written: everything that the journal's events up to event_id amount to stands in
-- the tables above. One row, written by the journal's writer together with them.
create table history_place (
    history_place_id integer primary key not null check (history_place_id = 1),
    event_id integer not null,
    written_at integer not null
) strict;
