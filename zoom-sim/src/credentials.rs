//! What a client needs to know to be let in. Nothing here opens anything but a pretend Zoom.

/// The pretend app's identifiers and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Account id.
    pub account_id: String,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// Id of the WebSocket event subscription.
    pub subscription_id: String,
    /// Secret with which webhooks are signed.
    pub webhook_secret: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            account_id: "SimAcct0Ab1Cd2Ef3Gh4Ij".to_owned(),
            client_id: "simClient0Ab1Cd2Ef3Gh".to_owned(),
            client_secret: "simSecretForLoopbackUseOnly00001".to_owned(),
            subscription_id: "SimSub0Ab1Cd2Ef3Gh4Ij5".to_owned(),
            webhook_secret: "simWebhookSecret000001".to_owned(),
        }
    }
}
