//! Bursts arrive whole, and fast enough to measure somebody else.

use std::collections::BTreeSet;

use zoom_sim::{BlastPlan, Sim, SimConfig};

use crate::client::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blast_arrives_whole_with_the_duplicates_asked_for() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    let plan = BlastPlan { events: 5000, duplicates: 0.1, ..BlastPlan::default() };
    let (report, frames) = tokio::join!(sim.blast(plan), async {
        let mut frames = Vec::new();
        while frames.len() < 5000 {
            frames.push(socket.event().await.to_string());
        }
        frames
    });
    assert_eq!(report.frames, 5000);
    assert!((4300..4700).contains(&report.distinct), "{report:?}");
    let distinct: BTreeSet<_> = frames.into_iter().collect();
    assert_eq!(distinct.len() as u64, report.distinct);
    println!("{report:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blast_keeps_its_rate() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    let plan = BlastPlan { events: 500, per_second: Some(1000.0), ..BlastPlan::default() };
    let (report, ()) = tokio::join!(sim.blast(plan), async {
        for _ in 0..500 {
            socket.message().await.unwrap().unwrap();
        }
    });
    assert!(report.seconds >= 0.5, "{report:?}");
    sim.stop().await;
}
