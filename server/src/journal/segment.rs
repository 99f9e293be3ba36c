//! How some thousand events and notes become one compressed body, and how it is read again.
//!
//! What repeats stands together, column by column, and numbers stand as differences; then zstd with a
//! dictionary of what the account's events have in common. Keys and names are left out: both follow
//! from the text.

use std::io;

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{LooseEvent, NoteRow, SegmentBody, SegmentRow, StoredEvent, StoredNote};

/// Of the form of bodies: rises whenever what they hold or how it is read changes.
const FORM: i64 = 2;
/// Of 22: the last step that is worth its time; a thousand events take a fifth of a second.
const LEVEL: i32 = 17;
/// More gains nothing on texts of this kind.
const DICTIONARY_BYTES: usize = 110 << 10;
/// A body that unpacks to more is damaged: 2,000 of the longest messages take half of it.
const MOST_BYTES: usize = 4 << 30;

/// Why a segment cannot be packed or read.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The compressed bytes are damaged, or could not be made.
    #[error("pack or unpack a segment of the journal; restore a backup if this goes on")]
    Damaged(#[source] io::Error),
    /// The bytes do not hold what they should.
    #[error("read a segment of the journal; restore a backup if this goes on")]
    Unreadable(#[source] postcard::Error),
    /// Another version wrote it.
    #[error("read a segment of the journal of form {form}; use the newest Callboard that ran here")]
    Foreign {
        /// The form.
        form: i64,
    },
}

/// What is in a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) notes: Vec<StoredNote>,
}

#[derive(Serialize, Deserialize)]
struct Columns {
    event_ids: Vec<i64>,
    received_at: Vec<i64>,
    note_ids: Vec<i64>,
    at: Vec<i64>,
    epochs: Vec<i64>,
    revisions: Vec<i64>,
    note_events: Vec<i64>,
    /// 0 for never.
    heard_at: Vec<i64>,
    /// 0 for never.
    newest_fact_at: Vec<i64>,
    told: Vec<(u32, String)>,
    digests: Vec<(u32, i64)>,
    texts: Vec<String>,
}

/// A dictionary of what these texts have in common; `None` when they are too few to tell.
pub(crate) fn train(events: &[LooseEvent]) -> Option<Vec<u8>> {
    let samples: Vec<&[u8]> = events.iter().map(|event| event.raw.as_bytes()).collect();
    zstd::dict::from_samples(&samples, DICTIONARY_BYTES).ok()
}

/// Packs events and notes, at least one of both together, with the dictionary of that id.
pub(crate) fn pack(
    events: Vec<LooseEvent>,
    notes: &[StoredNote],
    (packed_events, packed_notes): (i64, i64),
    (dictionary_id, dictionary): (i64, &[u8]),
) -> Result<SegmentRow, SegmentError> {
    let times = || {
        let of_events = events.iter().map(|event| event.received_at);
        of_events.chain(notes.iter().map(|note| note.note.at))
    };
    let began_at = times().min().unwrap_or_default();
    let ended_at = times().max().unwrap_or_default();
    let last_event_id = events.last().map_or(packed_events, |event| event.event_id);
    let last_note_id = notes.last().map_or(packed_notes, |note| note.note_id);
    let text_bytes = events.iter().map(|event| event.raw.len()).sum::<usize>();
    let (event_count, note_count) = (events.len(), notes.len());

    let of_notes = |value: fn(&StoredNote) -> i64| differences(notes.iter().map(value));
    let columns = Columns {
        event_ids: differences(events.iter().map(|event| event.event_id)),
        received_at: differences(events.iter().map(|event| event.received_at.as_millis())),
        note_ids: of_notes(|note| note.note_id),
        at: of_notes(|note| note.note.at.as_millis()),
        epochs: of_notes(|note| note.note.epoch.cast_signed()),
        revisions: of_notes(|note| note.note.revision.cast_signed()),
        note_events: of_notes(|note| note.note.event_id),
        heard_at: of_notes(|note| or_never(note.note.heard_at)),
        newest_fact_at: of_notes(|note| or_never(note.note.newest_fact_at)),
        told: (0_u32..)
            .zip(notes)
            .filter_map(|(index, note)| Some((index, note.note.told.clone()?)))
            .collect(),
        digests: (0_u32..).zip(notes).filter_map(|(index, note)| Some((index, note.note.digest?))).collect(),
        texts: events.into_iter().map(|event| event.raw).collect(),
    };
    let bytes = postcard::to_allocvec(&columns).map_err(SegmentError::Unreadable)?;
    let mut compressor =
        zstd::bulk::Compressor::with_dictionary(LEVEL, dictionary).map_err(SegmentError::Damaged)?;
    // So that texts find what is like them at the other end of the segment.
    compressor.window_log(24).map_err(SegmentError::Damaged)?;
    compressor.include_contentsize(true).map_err(SegmentError::Damaged)?;
    let body = compressor.compress(&bytes).map_err(SegmentError::Damaged)?;
    Ok(SegmentRow {
        after_event_id: packed_events,
        last_event_id,
        last_note_id,
        began_at,
        ended_at,
        first_note_at: notes.iter().map(|note| note.note.at).min(),
        form: FORM,
        event_count: count(event_count),
        note_count: count(note_count),
        text_bytes: count(text_bytes),
        dictionary_id,
        new_dictionary: None,
        body,
    })
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack(segment: &SegmentBody) -> Result<Segment, SegmentError> {
    if segment.form != FORM {
        return Err(SegmentError::Foreign { form: segment.form });
    }
    let dictionary = segment.dictionary.as_deref().unwrap_or_default();
    let mut decompressor =
        zstd::bulk::Decompressor::with_dictionary(dictionary).map_err(SegmentError::Damaged)?;
    let size = zstd::bulk::Decompressor::upper_bound(&segment.body).unwrap_or(MOST_BYTES).min(MOST_BYTES);
    let bytes = decompressor.decompress(&segment.body, size).map_err(SegmentError::Damaged)?;
    let columns: Columns = postcard::from_bytes(&bytes).map_err(SegmentError::Unreadable)?;
    let places = sums(columns.event_ids).zip(sums(columns.received_at)).zip(columns.texts);
    let events = places
        .map(|((event_id, received_at), raw)| {
            StoredEvent::new(event_id, Timestamp::from_millis(received_at), raw)
        })
        .collect();
    let mut told = columns.told.into_iter().peekable();
    let mut digests = columns.digests.into_iter().peekable();
    let heard = sums(columns.heard_at).zip(sums(columns.newest_fact_at));
    let publications = sums(columns.epochs).zip(sums(columns.revisions)).zip(sums(columns.note_events));
    let rows = sums(columns.note_ids).zip(sums(columns.at)).zip(publications).zip(heard);
    let notes = (0_u32..)
        .zip(rows)
        .map(|(index, (((note_id, at), ((epoch, revision), event_id)), (heard_at, newest_fact_at)))| {
            let note = NoteRow {
                at: Timestamp::from_millis(at),
                epoch: epoch.cast_unsigned(),
                revision: revision.cast_unsigned(),
                event_id,
                heard_at: unless_never(heard_at),
                newest_fact_at: unless_never(newest_fact_at),
                told: told.next_if(|(told_by, _)| *told_by == index).map(|(_, told)| told),
                digest: digests.next_if(|(of, _)| *of == index).map(|(_, digest)| digest),
            };
            StoredNote { note_id, note }
        })
        .collect();
    Ok(Segment { events, notes })
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn or_never(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_millis)
}

fn unless_never(millis: i64) -> Option<Timestamp> {
    (millis != 0).then(|| Timestamp::from_millis(millis))
}

fn differences(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut before = 0_i64;
    numbers.map(|number| number.wrapping_sub(std::mem::replace(&mut before, number))).collect()
}

fn sums(differences: Vec<i64>) -> impl Iterator<Item = i64> {
    differences.into_iter().scan(0_i64, |sum, difference| {
        *sum = sum.wrapping_add(difference);
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Source;

    fn event(event_id: i64) -> LooseEvent {
        let received_at = Timestamp::from_millis(1_790_000_000_000 + event_id * 137);
        let raw = format!(
            r#"{{"event":"something.happened","event_ts":{event_id},"payload":{{"call_id":"{event_id}"}}}}"#
        );
        LooseEvent { event_id, received_at, source: Source::Webhook, raw }
    }

    fn note(note_id: i64) -> StoredNote {
        let at = Timestamp::from_millis(1_790_000_000_000 + note_id * 1_003);
        let told = (note_id % 7 == 0).then(|| format!(r#"{{"home":"Europe/Berlin{note_id}"}}"#));
        let digest = (note_id % 11 == 0).then_some(-note_id);
        let heard_at = (note_id % 5 > 0).then_some(at);
        let revision = u64::try_from(note_id * 3).unwrap();
        let note = NoteRow {
            at,
            epoch: 7,
            revision,
            event_id: note_id * 2,
            heard_at,
            newest_fact_at: None,
            told,
            digest,
        };
        StoredNote { note_id, note }
    }

    #[test]
    fn what_was_packed_is_read_as_it_was() {
        let events: Vec<LooseEvent> = (11..500).map(event).collect();
        let notes: Vec<StoredNote> = (3..200).map(note).collect();
        let dictionary = train(&events).unwrap();
        let row = pack(events.clone(), &notes, (10, 2), (1, &dictionary)).unwrap();
        assert_eq!(
            (row.last_event_id, row.last_note_id, row.event_count, row.note_count),
            (499, 199, 489, 197)
        );
        assert!(row.body.len() < usize::try_from(row.text_bytes).unwrap() / 5, "{} bytes", row.body.len());
        let body = SegmentBody {
            last_event_id: row.last_event_id,
            last_note_id: row.last_note_id,
            after_event_id: Some(10),
            form: row.form,
            body: row.body,
            dictionary: Some(dictionary),
        };
        let segment = unpack(&body).unwrap();
        assert_eq!(segment.notes, notes);
        let texts: Vec<_> =
            events.iter().map(|event| (event.event_id, event.received_at, event.raw.as_str())).collect();
        let read: Vec<_> = segment
            .events
            .iter()
            .map(|event| (event.event_id, event.received_at(), event.raw.as_str()))
            .collect();
        assert_eq!(read, texts);
    }

    #[test]
    fn a_damaged_body_is_an_error() {
        let row = pack(vec![event(1)], &[], (0, 0), (0, &[])).unwrap();
        let whole = SegmentBody {
            last_event_id: 1,
            last_note_id: 0,
            after_event_id: Some(0),
            form: FORM,
            body: row.body.clone(),
            dictionary: None,
        };
        assert_eq!(unpack(&whole).unwrap().events.len(), 1);
        for body in [row.body[..row.body.len() / 2].to_vec(), b"no segment at all".to_vec(), Vec::new()] {
            assert!(unpack(&SegmentBody { body, ..whole.clone() }).is_err());
        }
        let later = SegmentBody { form: FORM + 1, ..whole };
        assert!(matches!(unpack(&later), Err(SegmentError::Foreign { .. })), "whatever may be in it");
    }
}
