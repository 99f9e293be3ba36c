//! What each agent does now, as a page and as JSON. The JSON's field names and meanings are a contract
//! with outsiders; see `ARCHITECTURE.md`.

use app::{
    document::PageLink,
    pages::{
        agents::{AgentsPage, agents_page},
        problem::ProblemPage,
    },
    settings::AgentsSettings,
};
use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use domain::{
    agent::view::{AgentView, QueueName},
    quality::Quality,
    time::Timestamp,
};
use leptos::prelude::IntoAny as _;
use serde::Serialize;

use super::{
    error::ApiError,
    pages::{local_zone, not_ready, read_query, show},
    router::AppState,
};
use crate::clock::{self, format_rfc3339};

/// `GET /agents`
pub(super) async fn page(State(state): State<AppState>, request: Request) -> Response {
    let Ok(agents) = state.keeper.agents().await else {
        return not_ready(&state, &request);
    };
    let prepare = || {
        let site = state.site.site();
        let settings =
            read_query(request.uri(), |pairs| AgentsSettings::parse(pairs)).map_err(|problems| {
                let next = PageLink::new("Open all agents", "/agents");
                Box::new(ProblemPage::bad_address(site.clone(), problems, next))
            })?;
        let zone = local_zone(state.home, clock::now());
        Ok(AgentsPage { site, stream_url: "/live/agents".to_owned(), view: agents.view(), settings, zone })
    };
    show(&state.agent_pages, &request, agents.revision, prepare, |page| agents_page(page).into_any())
}

/// One agent now and today.
#[derive(Debug, Serialize)]
pub(super) struct AgentJson {
    id: String,
    name: String,
    state: &'static str,
    since: Option<String>,
    /// When wrap-up ends.
    until: Option<String>,
    /// The queue of the call, or of the call before wrap-up.
    queue_id: Option<String>,
    presence: Option<&'static str>,
    queues: Vec<MembershipJson>,
    offered_today: u32,
    answered_today: u32,
    missed_today: u32,
    declined_today: u32,
    quality: QualityJson,
    as_of: String,
}

/// A person's place in a queue.
#[derive(Debug, Serialize)]
struct MembershipJson {
    id: String,
    name: String,
    takes_calls: bool,
    /// What they are for this queue.
    state: &'static str,
}

/// How sure each value is, by the name of its field.
#[derive(Debug, Serialize)]
struct QualityJson {
    state: Quality,
    since: Quality,
    presence: Quality,
    offered_today: Quality,
    answered_today: Quality,
    missed_today: Quality,
    declined_today: Quality,
}

/// `GET /api/v1/agents`
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<Vec<AgentJson>>, ApiError> {
    let published = state.keeper.agents().await?;
    let agents = published.agents.iter().map(|agent| json(agent, &published.queues, published.as_of));
    Ok(Json(agents.collect()))
}

fn json(agent: &AgentView, names: &[QueueName], as_of: Timestamp) -> AgentJson {
    let standing = &agent.standing;
    let name = |id| names.iter().find(|queue| queue.id == id).map_or("", |queue| &queue.name);
    let queues = agent.queues.iter().map(|queue| MembershipJson {
        id: queue.id.to_string(),
        name: name(queue.id.clone()).to_owned(),
        takes_calls: queue.takes_calls,
        state: agent.state_in(&queue.id).unwrap_or(standing.state).word(),
    });
    let known = |is_known: bool, quality| if is_known { quality } else { Quality::Unknown };
    // Rings that nobody told of are not counted.
    let counts = Quality::Inferred;
    AgentJson {
        id: agent.id.to_string(),
        name: agent.name.clone(),
        state: standing.state.word(),
        since: standing.since.map(format_rfc3339),
        until: standing.until.map(format_rfc3339),
        queue_id: standing.queue_id.as_ref().map(ToString::to_string),
        presence: agent.presence.map(|presence| presence.word()),
        queues: queues.collect(),
        offered_today: agent.today.offered,
        answered_today: agent.today.answered,
        missed_today: agent.today.missed,
        declined_today: agent.today.declined,
        quality: QualityJson {
            state: standing.quality,
            since: known(standing.since.is_some(), standing.quality),
            presence: known(agent.presence.is_some(), Quality::Live),
            offered_today: counts,
            answered_today: counts,
            missed_today: counts,
            declined_today: counts,
        },
        as_of: format_rfc3339(as_of),
    }
}
