-- What the live board went by besides events, once a second while the server runs: everything that is
-- needed, with the events up to event_id, to show it again as it was published then as that revision of
-- that epoch. told is text that only its writer understands, null where nothing but time has passed.
-- Written by the journal's writer on the keeper's order; rows move into segment after a day.
create table board_note (
    note_id integer primary key autoincrement not null,
    at integer not null,
    epoch integer not null,
    revision integer not null,
    event_id integer not null,
    heard_at integer,
    newest_fact_at integer,
    told text
) strict;

create index board_note_by_at on board_note (at);

-- Events and notes that are older than a day, some thousand together and compressed. A segment holds the
-- events after the segment before up to last_event_id, and the notes likewise. Written by the journal's
-- writer on the archive's order in the transaction that takes the rows out of event and board_note;
-- rows live for as many days as the operator keeps.
create table segment (
    segment_id integer primary key autoincrement not null,
    last_event_id integer not null,
    last_note_id integer not null,
    -- When the first and the last of it came.
    began_at integer not null,
    ended_at integer not null check (ended_at >= began_at),
    event_count integer not null,
    note_count integer not null,
    -- Of the events' texts, before they were compressed.
    text_bytes integer not null,
    dictionary_id integer not null,
    body blob not null
) strict;

create index segment_by_last_event_id on segment (last_event_id);

create index segment_by_last_note_id on segment (last_note_id);

create index segment_by_began_at on segment (began_at);

create index segment_by_ended_at on segment (ended_at);

-- What the texts of events have in common, for those segments that name it. Written like segment.
create table segment_dictionary (
    dictionary_id integer primary key not null,
    body blob not null
) strict;

-- Keys of events that moved into a segment, for as long as records of their time are read again. Written
-- like segment.
create table packed_key (
    key blob primary key not null check (length(key) = 16),
    received_at integer not null
) strict, without rowid;

create index packed_key_by_received_at on packed_key (received_at);

-- The board as it was after a note, so that few events have to be told to reach any instant. version is
-- of the form of body; what another version wrote is made anew from the journal. Written by the journal's
-- writer on the archive's order; rows live as long as the segments.
create table board_snapshot (
    note_id integer primary key not null,
    at integer not null,
    event_id integer not null,
    version integer not null,
    body blob not null
) strict;

create index board_snapshot_by_at on board_snapshot (at);
