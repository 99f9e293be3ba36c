//! Reading the journal back: the same facts in the same order as when they came.

use domain::time::Timestamp;
use tokio::task::JoinHandle;

use super::{Journalled, Shelf, ShelfError, shelf::Page};
use crate::{
    store::{Store, StoreError, StoredEvent},
    zoom::wire::Reader,
};

/// Events read at once: about 2 MB of text.
const PAGE: u32 = 2_000;

/// Reads the journal from an instant to its end, page by page. While one page is translated, the
/// next is fetched.
#[derive(Debug)]
pub struct Replay {
    shelf: Shelf,
    reader: Reader,
    from: Timestamp,
    /// The last place fetched; `None` when the end was reached.
    place: Option<i64>,
    translating: Option<JoinHandle<Vec<Journalled>>>,
}

impl Replay {
    /// Events that were received at `from` or later.
    pub async fn start(store: &Store, reader: Reader, from: Timestamp) -> Result<Self, StoreError> {
        let place = Some(store.place_before(from).await?);
        Ok(Self { shelf: Shelf::new(store), reader, from, place, translating: None })
    }

    /// The next events, never none; `None` at the end of the journal.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Journalled>>, ShelfError> {
        loop {
            let fetched = match self.place {
                Some(place) => self.shelf.events_after(place, PAGE).await?,
                None => Page { rows: Vec::new(), until: 0, torn_until: None },
            };
            self.place = (!fetched.is_end()).then_some(fetched.until);
            let (is_end, fetched) = (fetched.is_end(), fetched.rows);
            let next = (!is_end).then(|| {
                let (reader, from) = (self.reader.clone(), self.from);
                tokio::task::spawn_blocking(move || translate(&reader, from, &fetched))
            });
            let at_end = next.is_none();
            match std::mem::replace(&mut self.translating, next) {
                Some(translating) => {
                    // Translating does not panic; if it ever did, the page is passed over.
                    let events = translating.await.unwrap_or_default();
                    if !events.is_empty() {
                        return Ok(Some(events));
                    }
                }
                None if at_end => return Ok(None),
                None => {}
            }
        }
    }
}

fn translate(reader: &Reader, from: Timestamp, events: &[StoredEvent]) -> Vec<Journalled> {
    events
        .iter()
        // The clock may have been set back: places and times then disagree.
        .filter(|event| event.received_at() >= from)
        .map(|event| Journalled::read_back(reader, event))
        .collect()
}
