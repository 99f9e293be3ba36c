-- Visits whose callers waited longer than promised, by when the promised time passed: there their service level
-- is decided, not where they were answered or left.
create index queue_visit_by_late_mark on queue_visit (queue_id, entered_at + threshold_seconds * 1000)
    where left_at - entered_at > threshold_seconds * 1000;

-- What reports need besides: who left within the promised time, overflow by reason, and the waits of those who
-- left, where the outcome came about; the service level where it was decided, by every definition and by the
-- promised one. Summed up with the rest of the row.
alter table queue_quarter add column abandoned_in_time integer not null default 0;

alter table queue_quarter add column overflowed_maxwait integer not null default 0;

alter table queue_quarter add column overflowed_full integer not null default 0;

alter table queue_quarter add column overflowed_no_agent integer not null default 0;

alter table queue_quarter add column abandoned_wait_ms integer not null default 0;

-- Of the outcomes, those that were worked out of silence and of which no record tells.
alter table queue_quarter add column presumed integer not null default 0;

alter table queue_quarter add column decided integer not null default 0;

alter table queue_quarter add column decided_answered integer not null default 0;

alter table queue_quarter add column promised_met integer not null default 0;

alter table queue_quarter add column promised_decided integer not null default 0;

-- Rows of before: what counts where the outcome came about.
with visit as (
    select *, left_at - entered_at as wait_ms,
        left_at - entered_at <= threshold_seconds * 1000 as in_time,
        outcome in ('abandoned', 'short_abandoned') as is_abandoned,
        ifnull(definition, 'short_excluded') as rule
    from queue_visit
), summed as (
    select queue_id, left_at / 900000 * 900000 as began_at,
        count(*) filter (where is_abandoned and in_time) as abandoned_in_time,
        count(*) filter (where overflow_reason = 'overflow_maxwait' and outcome = 'overflowed') as maxwait,
        count(*) filter (where overflow_reason = 'overflow_full' and outcome = 'overflowed') as queue_full,
        count(*) filter (where overflow_reason = 'overflow_no_agent' and outcome = 'overflowed') as no_agent,
        coalesce(sum(wait_ms) filter (where is_abandoned), 0) as abandoned_wait_ms,
        count(*) filter (where live_presumed = 1 and record_outcome is null) as presumed,
        count(*) filter (where in_time) as decided,
        count(*) filter (where in_time and outcome = 'answered') as decided_answered,
        count(*) filter (where in_time and (outcome = 'answered' or is_abandoned and rule = 'positive'))
            as promised_met,
        count(*) filter (where in_time and (outcome = 'answered'
            or is_abandoned and (rule in ('negative', 'positive')
                or rule = 'short_excluded' and wait_ms > short_abandon_seconds * 1000)
            or not is_abandoned and rule <> 'answered_only')) as promised_decided
    from visit group by 1, 2
)
update queue_quarter as q set
    abandoned_in_time = s.abandoned_in_time, overflowed_maxwait = s.maxwait, overflowed_full = s.queue_full,
    overflowed_no_agent = s.no_agent, abandoned_wait_ms = s.abandoned_wait_ms, presumed = s.presumed,
    decided = s.decided, decided_answered = s.decided_answered, promised_met = s.promised_met,
    promised_decided = s.promised_decided
from summed as s where s.queue_id = q.queue_id and s.began_at = q.began_at;

-- And who was decided when the promised time passed: never in time, so that nothing of it is met. Nothing else
-- may have come about in that quarter.
insert into queue_quarter (
    queue_id, began_at, entered, answered, answered_in_time, abandoned, short_abandoned, overflowed, voicemail,
    transferred_out, answered_wait_ms, wait_ms, longest_wait_ms, measured, waits,
    decided, decided_answered, promised_decided)
select queue_id, (entered_at + threshold_seconds * 1000) / 900000 * 900000,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]',
    count(*), count(*) filter (where outcome = 'answered'),
    count(*) filter (where outcome = 'answered' or ifnull(definition, 'short_excluded') <> 'answered_only')
from queue_visit where left_at - entered_at > threshold_seconds * 1000
group by 1, 2
on conflict (queue_id, began_at) do update set
    decided = decided + excluded.decided, decided_answered = decided_answered + excluded.decided_answered,
    promised_decided = promised_decided + excluded.promised_decided;

-- Waits of quarters that were summed up before there were any. Bands end where domain::volume::Histogram's do:
-- at 0.1 s, and each 4 % further, in whole nanoseconds.
with recursive band (number, from_ns) as (
    values (0, 0), (1, 100000000)
    union all
    select number + 1, from_ns * 104 / 100 from band where number > 0 and from_ns * 104 / 100 <= 86400000000000
), counted as (
    select q.queue_id, q.began_at,
        (select max(number) from band where from_ns <= min(v.left_at - v.entered_at, 86400000) * 1000000) as number,
        count(*) filter (where v.outcome = 'answered') as answered,
        count(*) filter (where v.outcome <> 'answered') as others
    from queue_quarter as q join queue_visit as v on v.queue_id = q.queue_id
        and v.left_at >= q.began_at and v.left_at < q.began_at + 900000
    where q.waits is null
    group by 1, 2, 3
)
update queue_quarter as q set waits = coalesce((
    select json_group_array(json_array(number, answered, others) order by number) from counted as c
    where c.queue_id = q.queue_id and c.began_at = q.began_at
), '[]') where waits is null;
