//! What readers get, and what they do not.

use std::time::Duration;

use domain::{
    board::Input,
    directory::{Directory, DirectoryQueue},
    fact::{Fact, LegFact, Party, Side, Station, StationKind, What},
    id::CallId,
    service_level::ServiceLevelPolicy,
    trust::FeedLink,
    view::BoardChange,
};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn trust() -> Trust {
    Trust { feed_heard_at: Some(NOW), ..Trust::of(FeedLink::Live, NOW) }
}

fn queue(id: &str, name: &str) -> DirectoryQueue {
    DirectoryQueue {
        id: id.into(),
        extension_id: None,
        name: name.to_owned(),
        extension_number: None,
        zone: None,
        members: None,
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
        max_wait: None,
    }
}

fn read(board: &mut Board, queues: Vec<DirectoryQueue>) {
    board.apply(NOW, Input::Directory(Directory { queues }));
}

fn data(frame: &Bytes) -> &str {
    let text = std::str::from_utf8(frame).unwrap();
    text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()
}

#[test]
fn a_full_frame_reads_back_as_the_view_it_was_made_from() {
    let mut board = Board::new();
    read(&mut board, vec![queue("b", "Support"), queue("a", "Billing\n\ndata: {}")]);
    let mut publisher = Publisher::new(7, NOW, trust());
    publisher.publish(&mut board, NOW, &trust(), false);
    let published = publisher.all.borrow().clone();
    let frame = published.full_frame();
    assert!(frame.starts_with(b"id: 7-1\nevent: view\ndata: {"));
    let text = std::str::from_utf8(&frame).unwrap();
    assert_eq!(text.matches("\n\n").count(), 1, "a name never begins another event");
    let view: BoardView = serde_json::from_str(data(&frame)).unwrap();
    assert_eq!(view, published.view());
    assert_eq!(view.queues[1].name, "Support", "rows are in the order of their names");
}

#[test]
fn a_reader_gets_what_it_missed_or_everything() {
    let mut board = Board::new();
    read(&mut board, vec![queue("a", "Billing"), queue("b", "Support")]);
    let mut publisher = Publisher::new(7, NOW, trust());
    publisher.publish(&mut board, NOW, &trust(), false);
    read(&mut board, vec![queue("a", "Billing"), queue("b", "Helpdesk")]);
    publisher.publish(&mut board, NOW, &trust(), false);
    publisher.publish(&mut board, NOW, &trust(), false);
    let published = publisher.all.borrow().clone();

    assert_eq!(published.news_after(Some(3)), None);
    let missed = published.news_after(Some(1)).unwrap();
    let changes: Vec<BoardChange> = std::str::from_utf8(&missed)
        .unwrap()
        .split_inclusive("\n\n")
        .map(|frame| serde_json::from_str(data(&Bytes::copy_from_slice(frame.as_bytes()))).unwrap())
        .collect();
    assert_eq!(changes.iter().map(|change| change.revision).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(changes[0].queues[0].name, "Helpdesk");
    assert!(changes[1].queues.is_empty(), "a pulse carries no rows");
    let newest: BoardChange = serde_json::from_str(data(&published.news_after(Some(2)).unwrap())).unwrap();
    assert_eq!(newest, changes[1]);
    assert_eq!(published.news_after(None), Some(published.full_frame()), "a new reader");
    assert_eq!(published.news_after(Some(99)), Some(published.full_frame()), "a forged revision");

    for _ in 0..FRAMES_KEPT {
        publisher.publish(&mut board, NOW, &trust(), false);
    }
    let published = publisher.all.borrow().clone();
    assert_eq!(published.news_after(Some(1)), Some(published.full_frame()), "too far behind");
}

#[test]
fn a_queue_has_its_own_board_while_somebody_reads_it() {
    let mut board = Board::new();
    read(&mut board, vec![queue("a", "Billing"), queue("b", "Support")]);
    let mut publisher = Publisher::new(7, NOW, trust());
    publisher.publish(&mut board, NOW, &trust(), false);
    assert!(publisher.subscribe(&board, &BoardKey::Queue("nobody".into())).is_none());
    let reader = publisher.subscribe(&board, &BoardKey::Queue("b".into())).unwrap();
    read(&mut board, vec![queue("a", "Invoices"), queue("b", "Support")]);
    publisher.publish(&mut board, NOW, &trust(), false);
    let seen = reader.borrow().clone();
    assert_eq!(seen.rows.len(), 1);
    let change: BoardChange = serde_json::from_str(data(&seen.news_after(Some(1)).unwrap())).unwrap();
    assert!(change.queues.is_empty(), "the other queue changed, not this one");

    read(&mut board, vec![queue("a", "Invoices")]);
    publisher.publish(&mut board, NOW, &trust(), false);
    let change: BoardChange =
        serde_json::from_str(data(&reader.borrow().news_after(Some(2)).unwrap())).unwrap();
    assert_eq!(change.removed, ["b".into()]);
    drop(reader);
    publisher.publish(&mut board, NOW, &trust(), false);
    assert!(publisher.of_queues.is_empty());
}

/// A caller rings a queue that nobody knows, and leaves.
fn ring(call: usize, queue: &str, at: Timestamp) -> Fact {
    let station = Station {
        kind: StationKind::CallQueue,
        account: None,
        name: Some(queue.to_owned()),
        extension_number: None,
    };
    let party = Party { extension_id: Some(format!("x{call}").as_str().into()), ..Party::default() };
    let leg = LegFact {
        side: Side::Callee,
        party: party.into(),
        other: Party::default().into(),
        channel_id: None,
        device_id: Some("d".into()),
        rang_at: at,
        answered_at: None,
        hang_up: None,
        offered_by: Some(station.into()),
        came_through: None,
        sent_at: at,
    };
    Fact::new(CallId::new(call.to_string()), at, What::Rang(leg))
}

#[test]
fn of_too_many_queues_that_nobody_knows_the_busiest_have_rows_and_all_are_counted() {
    let more = MOST_UNRESOLVED + 3;
    let earlier = NOW - Duration::from_secs(900);
    let mut facts: Vec<Fact> =
        (0..more).map(|number| ring(number, &format!("q{number:05}"), earlier)).collect();
    // The last by name had one caller more, the one before it has one now.
    facts.push(ring(more, &format!("q{:05}", more - 1), earlier));
    let now = ring(more + 1, &format!("q{:05}", more - 2), NOW);
    let boards = [false, true].map(|reversed| {
        let mut board = Board::new();
        read(&mut board, vec![queue("a", "Billing"), queue("z", "Zero")]);
        let mut facts = facts.clone();
        if reversed {
            facts.reverse();
        }
        let mut publisher = Publisher::new(7, NOW, trust());
        for some in facts.chunks(100) {
            board.apply(NOW, Input::Facts(some.to_vec()));
            publisher.publish(&mut board, NOW, &trust(), false);
        }
        let before = publisher.all.borrow().clone();
        board.apply(NOW, Input::Facts(vec![now.clone()]));
        publisher.publish(&mut board, NOW, &trust(), false);
        let after = publisher.all.borrow().clone();
        (before, after, publisher, board)
    });
    let [(before, after, mut publisher, mut board), (_, other, ..)] = boards;
    assert_eq!(after.view(), other.view(), "in whatever order they were told");

    let ids = |board: &Published| -> Vec<String> {
        board.rows.iter().map(|row| row.view.id.as_str().replace("unresolved:q", "")).collect()
    };
    let number = |number: usize| format!("{number:05}");
    let first: Vec<String> = (0..MOST_UNRESOLVED - 1).chain([more - 1]).map(number).collect();
    let known = |mut ids: Vec<String>| {
        ids.splice(0..0, ["a", "z"].map(str::to_owned));
        ids
    };
    assert_eq!(ids(&before), known(first), "the directory's own are never left out");
    let busiest: Vec<String> = (0..MOST_UNRESOLVED - 2).chain([more - 2, more - 1]).map(number).collect();
    assert_eq!(ids(&after), known(busiest));
    assert_eq!((before.totals.unlisted, after.totals.unlisted), (3, 3));
    assert_eq!(after.totals.figures.offered_today as usize, more + 2, "nobody is left out of the sums");

    // Whoever follows changes sees the same.
    let change: BoardChange =
        serde_json::from_str(data(&after.news_after(Some(before.revision)).unwrap())).unwrap();
    let changed: Vec<&str> = change.queues.iter().map(|queue| queue.id.as_str()).collect();
    assert_eq!(changed, [format!("unresolved:q{:05}", more - 2)]);
    assert_eq!(change.removed, [QueueId::new(format!("unresolved:q{:05}", MOST_UNRESOLVED - 2))]);
    assert_eq!(change.totals, after.totals);

    // When the directory lists one of them, there is room for another row, though nothing changed in it.
    read(&mut board, vec![queue("a", "Billing"), queue("q", "q00000"), queue("z", "Zero")]);
    publisher.publish(&mut board, NOW, &trust(), false);
    let last = publisher.all.borrow().clone();
    let change: BoardChange =
        serde_json::from_str(data(&last.news_after(Some(after.revision)).unwrap())).unwrap();
    let changed: Vec<&str> = change.queues.iter().map(|queue| queue.id.as_str()).collect();
    assert_eq!(changed, ["q", &format!("unresolved:q{:05}", MOST_UNRESOLVED - 2)]);
    assert_eq!((change.removed, last.totals.unlisted), (vec!["unresolved:q00000".into()], 2));
    let hidden = BoardKey::Queue(QueueId::new(format!("unresolved:q{:05}", MOST_UNRESOLVED)));
    let own = publisher.subscribe(&board, &hidden).unwrap();
    assert_eq!(own.borrow().rows.len(), 1, "it has its own board all the same");
}
