//! How a queue visit ends: exactly one outcome per visit, from a closed set.

/// The outcome of one queue visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Not finished.
    Waiting,
    /// Somebody took the call.
    Answered,
    /// The caller left.
    Abandoned,
    /// The caller left within the queue's short time.
    ShortAbandoned,
    /// The call went on to another queue or person before an answer; live events do not say
    /// whether because of the wait, the length of the queue, or for want of members.
    Overflowed,
    /// The call went to a mailbox.
    Voicemail,
    /// A person or rule sent the call elsewhere before an answer.
    TransferredOut,
}
