-- Calls as Zoom wrote them down, one row per call or, in the first generation, per log: whichever
-- generation of its record was read, under one set of names. Written by the journal's writer from records
-- in the journal; a later reading replaces an earlier one. Rows are kept for ever.
create table call_record (
    record_id text primary key not null,
    -- The live call's id, without the suffix of its part.
    call_id text not null,
    generation integer not null check (generation in (1, 2, 3)),
    direction text,
    result text,
    started_at integer,
    answered_at integer,
    ended_at integer,
    caller_name text,
    caller_number text,
    read_at integer not null
) strict, without rowid;

create index call_record_by_call_id on call_record (call_id);

create index call_record_by_ended_at on call_record (ended_at);

-- The steps and legs of those calls, from records of whole calls and of one person's part alike. Written
-- with call_record; record_id is that row's, which may not be there when only parts were told.
create table call_element (
    element_id text primary key not null,
    record_id text not null,
    call_id text not null,
    -- As it was told: a part of a call may carry a suffix.
    told_call_id text not null,
    generation integer not null check (generation in (1, 2, 3)),
    direction text,
    event text,
    result text,
    result_reason text,
    segment integer,
    node integer,
    started_at integer,
    answered_at integer,
    ended_at integer,
    wait_ms integer,
    talk_ms integer,
    hold_ms integer,
    caller_extension_number text,
    caller_name text,
    caller_number text,
    callee_extension_id text,
    callee_extension_number text,
    callee_kind text,
    callee_name text,
    callee_number text,
    operator_extension_number text,
    operator_kind text,
    operator_name text,
    user_id text,
    voicemail_id text,
    recording_id text,
    read_at integer not null
) strict, without rowid;

create index call_element_by_record_id on call_element (record_id);

create index call_element_by_call_id on call_element (call_id);

-- Records in the journal up to event_id stand in the two tables above. One row, written by the journal's
-- writer together with them.
create table record_place (
    record_place_id integer primary key not null check (record_place_id = 1),
    event_id integer not null
) strict;
