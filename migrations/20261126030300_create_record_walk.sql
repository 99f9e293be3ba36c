-- The last walk through Zoom's record, by the time at which calls ended: from where to where, how far it
-- has come, and up to when everything has been read by any walk so far. One row, written by the journal's
-- writer on the order of the nightly reconciliation, so that a kill costs no work.
create table record_walk (
    record_walk_id integer primary key not null check (record_walk_id = 1),
    began_at integer not null,
    until_at integer not null,
    done_until integer not null,
    read_until integer not null
) strict;

-- Calls of the slice at which the walk is that were read already. Written by the journal's writer one by
-- one; emptied when the slice is done.
create table record_walk_call (
    record_id text primary key not null
) strict, without rowid;
