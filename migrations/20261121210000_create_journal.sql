-- One row, written once when the database is created, kept for ever. Tells this installation from
-- a copy of it, and since when it can have heard anything.
create table installation (
    installation_id text primary key not null,
    created_at integer not null
) strict;

-- Every event as it came, written by the journal's writer in the order of event_id; nothing is ever
-- changed. Rows live until a retention rule removes them (there is none yet). event_id has holes
-- where a duplicate was refused. key: see `EventKey`; its first bytes rise with time so that new
-- rows touch few pages of its index.
create table event (
    event_id integer primary key not null,
    key blob not null check (length(key) = 16),
    received_at integer not null,
    source text not null check (source in ('socket', 'webhook')),
    name text not null,
    call_id text,
    raw text not null
) strict;

create unique index event_by_key on event (key);

create index event_by_received_at on event (received_at);

-- Messages that could not be understood, with the reason. Written by the journal's writer, which
-- keeps the newest 10,000. raw holds at most the first 64 KiB of byte_count bytes.
create table quarantine (
    quarantine_id integer primary key autoincrement not null,
    received_at integer not null,
    source text not null check (source in ('socket', 'webhook')),
    reason text not null,
    byte_count integer not null,
    raw blob not null
) strict;

-- Intervals in which events may have been missed. Written by the journal's writer on the feed's
-- order, and on its own account for events it could not write; at most one is open (no end). Rows
-- are few and kept for ever: reports name them.
create table feed_gap (
    feed_gap_id integer primary key not null,
    began_at integer not null,
    ended_at integer,
    cause text not null,
    check (ended_at is null or ended_at >= began_at)
) strict;

create unique index feed_gap_open on feed_gap ((ended_at is null)) where ended_at is null;

create index feed_gap_by_ended_at on feed_gap (ended_at);

-- The last proof of life of the feed: one row, overwritten every few seconds by the journal's
-- writer, so that the next start knows since when the server was deaf.
create table feed_pulse (
    feed_pulse_id integer primary key not null check (feed_pulse_id = 1),
    heard_at integer not null
) strict;
