//! Errors as people and programs get them: `application/problem+json` (RFC 9457) for the API, a
//! page that says what to do for people. Internals go to the log, never into an answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    keeper::KeeperGone,
    store::{SeekError, StoreError},
    telemetry,
};

/// What can go wrong while answering a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// There is no such thing, or none this caller may see.
    #[error("there is no {what} here")]
    NotFound {
        /// What was looked for, in words.
        what: &'static str,
    },
    /// More streams are open than this server serves.
    #[error("too many live streams are open; try again in a moment")]
    TooManyStreams,
    /// The address asks for something that does not exist.
    #[error("{problem}")]
    BadQuestion {
        /// What is wrong with it, in sentences.
        problem: String,
    },
    /// Nobody waits for so long for it.
    #[error(
        "finding this takes longer than a second; ask for a shorter time or fewer queues, and of calls for another order than by waits"
    )]
    TooLong,
    /// Others are asking.
    #[error("too many lists and reports are asked for at once; try again in a moment")]
    TooManyQuestions,
    /// A recording has nothing for it.
    #[error(
        "this is not in the recording, which holds the events of calls; /api/v1/queues?at= shows its queues"
    )]
    NotRecorded,
    /// Too many look at the past.
    #[error("too many are looking back; try again in a moment")]
    TooManyLookBack,
    /// It would take minutes now.
    #[error("that time is being made ready; try again in some minutes")]
    PastNotReady,
    /// The server is stopping.
    #[error("the server is restarting; try again in a moment")]
    Stopping,
    /// The database did not answer. An answer without what it holds would say that there is nothing.
    #[error("the database cannot be read; check the disk of the data folder")]
    StoreUnreadable,
}

impl From<KeeperGone> for ApiError {
    fn from(_: KeeperGone) -> Self {
        Self::Stopping
    }
}

impl From<SeekError> for ApiError {
    fn from(error: SeekError) -> Self {
        match error {
            SeekError::TooLong => Self::TooLong,
            SeekError::Busy => Self::TooManyQuestions,
            SeekError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(error = telemetry::chain(&error), "failed to read what was asked for");
        Self::StoreUnreadable
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } | Self::NotRecorded => StatusCode::NOT_FOUND,
            Self::TooManyStreams
            | Self::TooManyLookBack
            | Self::PastNotReady
            | Self::TooManyQuestions
            | Self::Stopping
            | Self::StoreUnreadable => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadQuestion { .. } => StatusCode::BAD_REQUEST,
            // Whoever asks the same again waits in vain again.
            Self::TooLong => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(self.status(), &self.to_string())
    }
}

/// An answer in `application/problem+json`; `detail` is a sentence with the next step.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
    };
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_status() {
        let pairs = [
            (ApiError::NotFound { what: "queue" }, 404),
            (ApiError::BadQuestion { problem: "day is a date".to_owned() }, 400),
            (ApiError::NotRecorded, 404),
            (ApiError::TooManyStreams, 503),
            (ApiError::TooLong, 422),
            (ApiError::TooManyQuestions, 503),
            (ApiError::Stopping, 503),
            (ApiError::StoreUnreadable, 503),
        ];
        for (error, status) in pairs {
            let response = error.into_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
}
