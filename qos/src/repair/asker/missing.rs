//! A unit that is missing, and how often it was asked for.

use crate::time::MonoTime;

/// A unit that was asked for so often in vain does not come any more: where one request in three is
/// answered, one in two hundred thousand has had bad luck only.
pub(super) const IN_VAIN: u32 = 30;

/// A unit that is missing.
#[derive(Copy, Clone, Debug)]
pub(super) struct Missing {
    /// When a later one came.
    pub(super) overtaken_at: Option<MonoTime>,
    /// When it is to be asked for next; `None` if there is no hope left.
    pub(super) ask_at: Option<MonoTime>,
    /// How it was asked for so far.
    pub(super) asked: Option<Asked>,
}

/// How a unit was asked for.
#[derive(Copy, Clone, Debug)]
pub(super) struct Asked {
    /// When first.
    pub(super) first: MonoTime,
    /// How often.
    pub(super) times: u32,
    /// The request that is waited for: when it was made, the unit had been sent for certain.
    awaited: Option<MonoTime>,
    /// How often in vain: what was asked for later has come, and answers leave in the order of
    /// requests. Where the path has become narrow, hundreds may wait before this one.
    in_vain: u32,
}

impl Missing {
    pub(super) fn new(overtaken_at: Option<MonoTime>, ask_at: MonoTime) -> Self {
        Self { overtaken_at, ask_at: Some(ask_at), asked: None }
    }

    /// Whether it does not come any more, by what came of the requests for it.
    pub(super) fn is_in_vain(&self) -> bool {
        self.asked.is_some_and(|asked| asked.in_vain >= IN_VAIN)
    }

    /// Whether it is to be asked for by `until`.
    pub(super) fn is_due(&self, until: MonoTime) -> bool {
        self.ask_at.is_some_and(|at| at <= until)
    }

    /// It is asked for at `now`, on a path that may be `down`. Of all that was sent once more and
    /// came, what was asked for last was `answered` to a request of that instant.
    pub(super) fn on_asked(&mut self, now: MonoTime, answered: Option<MonoTime>, down: bool) {
        let new = Asked { first: now, times: 0, awaited: None, in_vain: 0 };
        let asked = self.asked.get_or_insert(new);
        asked.times += 1;
        let was_in_vain = asked.awaited.is_some_and(|at| answered > Some(at)) && !down;
        asked.in_vain += u32::from(was_in_vain);
        let is_sent = self.overtaken_at.is_some();
        if is_sent && (was_in_vain || down || asked.awaited.is_none()) {
            asked.awaited = Some(now);
        }
    }
}
