//! What people's clients say of them: told by an event, or read over REST.
//!
//! The two have words of their own for the same things, and one misspelling between them. A reading is
//! journalled as `READING`, so that a restart has it like everything else.

mod reading;

use domain::{
    agent::presence::{Presence, PresenceFact, PresenceOrigin},
    id::UserId,
    time::Timestamp,
};
use serde::Deserialize;

pub(crate) use self::reading::PresenceReading;
pub use self::reading::PresenceStatus;
use super::{
    translate::one_word,
    wire::{Moment, Text},
};

/// The event.
const EVENT: &str = "user.presence_status_updated";
/// The name under which a reading is journalled.
pub(super) const READING: &str = "rest.presence_status";

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    presence_status: Text<'a>,
    date_time: Moment,
    /// Zoom's own example writes it so.
    #[serde(rename = "date-time")]
    hyphenated_date_time: Moment,
}

/// How an event of that name tells of presence, if it does.
pub(super) fn origin(name: &str) -> Option<PresenceOrigin> {
    match name {
        EVENT => Some(PresenceOrigin::Told),
        READING => Some(PresenceOrigin::Read),
        _ => None,
    }
}

/// What an event says of a person; `None` when it does not say who, or what.
pub(super) fn fact(
    origin: PresenceOrigin,
    text: &str,
    sent_at: Option<Timestamp>,
    received_at: Timestamp,
) -> Option<PresenceFact> {
    let event: Event<'_> = serde_json::from_str(text).ok()?;
    let object = event.payload.object;
    let sent_at = sent_at.unwrap_or(received_at);
    let at = object.date_time.get().or(object.hyphenated_date_time.get()).unwrap_or(sent_at);
    Some(PresenceFact {
        user_id: UserId::new(object.id.as_str()?),
        // The times of events are whole seconds; whatever happened in one is ordered by its sending.
        at: Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000),
        sent_at,
        presence: presence(object.presence_status.as_str()?),
        origin,
    })
}

/// Both vocabularies, and whatever comes to be written otherwise.
fn presence(words: &str) -> Presence {
    match &*one_word(words) {
        "available" => Presence::Available,
        "away" => Presence::Away,
        "mobilesignedin" => Presence::Mobile,
        "inmeeting" | "inazoommeeting" => Presence::InMeeting,
        "presenting" => Presence::Presenting,
        "onphonecall" | "onacall" => Presence::OnCall,
        "incalendarevent" => Presence::InCalendarEvent,
        "busy" => Presence::Busy,
        "outofoffice" => Presence::OutOfOffice,
        // The second one is how the API spells it where the state has an end.
        "donotdisturb" | "donodisturb" => Presence::DoNotDisturb,
        "offline" => Presence::Offline,
        _ => Presence::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoom::wire::Reader;

    const ARRIVED: Timestamp = Timestamp::from_millis(1_790_000_003_000);

    fn read(text: &str) -> Option<PresenceFact> {
        Reader::default().read(text, ARRIVED).expect("a readable event").presence
    }

    fn told(object: &str) -> Option<PresenceFact> {
        read(&format!(
            r#"{{"event":"{EVENT}","event_ts":1790000001400,"payload":{{"account_id":"a","object":{object}}}}}"#
        ))
    }

    #[test]
    fn c12_the_time_is_read_by_either_spelling_of_its_name() {
        for name in ["date_time", "date-time"] {
            let object = format!(
                r#"{{"{name}":"2026-09-21T14:13:20Z","id":"u1","email":"a@example.com","presence_status":"Away"}}"#
            );
            let fact = told(&object).expect("a fact");
            assert_eq!(fact.at, Timestamp::from_millis(1_790_000_000_000), "{name}");
            assert_eq!(fact.sent_at, Timestamp::from_millis(1_790_000_001_400));
            assert_eq!((fact.user_id.as_str(), fact.presence), ("u1", Presence::Away));
            assert_eq!(fact.origin, PresenceOrigin::Told);
        }
    }

    #[test]
    fn the_words_of_events_and_of_readings_mean_the_same() {
        let words = [
            ("Available", Presence::Available),
            ("Mobile_signed_in", Presence::Mobile),
            ("In_Meeting", Presence::InMeeting),
            ("In_A_Zoom_Meeting", Presence::InMeeting),
            ("Presenting", Presence::Presenting),
            ("On_Phone_Call", Presence::OnCall),
            ("On_A_Call", Presence::OnCall),
            ("In_Calendar_Event", Presence::InCalendarEvent),
            ("Busy", Presence::Busy),
            ("Out_of_Office", Presence::OutOfOffice),
            ("Do_Not_Disturb", Presence::DoNotDisturb),
            ("Do_No_Disturb", Presence::DoNotDisturb),
            ("Offline", Presence::Offline),
            ("On_The_Moon", Presence::Other),
        ];
        for (word, expected) in words {
            assert_eq!(presence(word), expected, "{word}");
        }
    }

    #[test]
    fn nobody_or_nothing_is_no_fact() {
        assert_eq!(told(r#"{"presence_status":"Away","date_time":"2026-09-21T14:13:20Z"}"#), None);
        assert_eq!(told(r#"{"id":"u1","presence_status":{}}"#), None);
        assert_eq!(told(r#"[]"#), None);
        assert_eq!(
            told(r#"{"id":"u1","presence_status":"Away","date_time":[]}"#).map(|it| it.at.as_millis()),
            Some(1_790_000_001_000)
        );
    }

    #[test]
    fn a_reading_is_read_back_from_the_journal() {
        let fact = read(&reading::text("u\"1", "Do_No_Disturb", ARRIVED)).expect("a fact");
        assert_eq!((fact.user_id.as_str(), fact.presence), ("u\"1", Presence::DoNotDisturb));
        assert_eq!((fact.at, fact.origin), (ARRIVED, PresenceOrigin::Read));
    }
}
