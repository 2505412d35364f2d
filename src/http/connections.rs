//! How many connections are open, and whose is closed when there are too many.
//!
//! A connection costs a descriptor, and a process has few; without any left, nobody is heard. So there are fewer connections
//! than descriptors, and one address, unless it is a trusted proxy, gets a part of them. Who comes when there is no room is
//! let in all the same, in the place of somebody who is only waiting: the one that has waited longest, those first that were
//! never answered, of the address itself or else of the address that has most. Only where everybody is being answered is a new one turned away. So those
//! who open connections and say nothing, or only half of it, keep nobody out: a request is being answered once all of it has
//! come, or its sender has shown a secret of ours.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use actix_web::HttpRequest;
use tokio_util::sync::CancellationToken;

/// For files, the store, the records and the calls that we make ourselves.
const KEPT_DESCRIPTORS: usize = 160;
/// More are of no use to one process.
const MOST_CONNECTIONS: usize = 50_000;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionLimits {
    pub(super) all: usize,
    /// From one address.
    pub(super) each: usize,
}

impl ConnectionLimits {
    /// For a process with so many descriptors.
    pub(super) fn for_descriptors(descriptors: usize) -> Self {
        // Those that are being closed, or not looked at yet, take the fifth part.
        let all = (Self::accepted(descriptors) / 5 * 4).clamp(8, MOST_CONNECTIONS);
        Self {
            all,
            each: (all / 4).max(4),
        }
    }

    /// How many may be accepted by the system at a time.
    pub(super) fn accepted(descriptors: usize) -> usize {
        descriptors.saturating_sub(KEPT_DESCRIPTORS.min(descriptors / 2)).max(8)
    }
}

/// All connections.
pub(super) struct Connections {
    limits: ConnectionLimits,
    open: Mutex<OpenConnections>,
}

#[derive(Default)]
struct OpenConnections {
    last: u64,
    /// In the order in which they make room.
    waiting: BTreeMap<WaitOrder, Waiting>,
    busy: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// When a connection that waits makes room for others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct WaitOrder {
    /// Whether a request of it was answered. Who was served before goes last.
    answered: bool,
    /// Of its last wait: grows.
    number: u64,
}

#[derive(Clone)]
struct Waiting {
    from: IpAddr,
    trusted: bool,
    closed: CancellationToken,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
        })
    }

    /// Lets a connection in, or not. `trusted` addresses are those of proxies, and have no limit of their own.
    pub(super) fn admit(self: &Arc<Self>, from: IpAddr, trusted: bool) -> Option<ConnectionSlot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = open.by_address.get(&from).copied().unwrap_or_default();
        if theirs >= self.limits.each && !trusted {
            open.close_of(from)?;
        } else if open.busy + open.waiting.len() >= self.limits.all {
            let greediest = open.greediest()?;
            open.close_of(greediest)?;
        }
        *open.by_address.entry(from).or_default() += 1;
        let waiting = Waiting {
            from,
            trusted,
            closed: CancellationToken::new(),
        };
        let waits = open.wait(waiting.clone(), false);
        Some(ConnectionSlot {
            connections: Arc::clone(self),
            waiting,
            waits: Mutex::new(Some(waits)),
        })
    }
}

impl OpenConnections {
    fn wait(&mut self, waiting: Waiting, answered: bool) -> WaitOrder {
        self.last += 1;
        let order = WaitOrder {
            answered,
            number: self.last,
        };
        self.waiting.insert(order, waiting);
        order
    }

    /// The address with most connections, of those with one that only waits; a proxy's where there is no other.
    fn greediest(&self) -> Option<IpAddr> {
        let count = |waiting: &&Waiting| (!waiting.trusted, self.by_address.get(&waiting.from).copied());
        self.waiting.values().max_by_key(count).map(|waiting| waiting.from)
    }

    /// Closes the one of this address that makes room first.
    fn close_of(&mut self, from: IpAddr) -> Option<()> {
        let (id, _) = self.waiting.iter().find(|(_, waiting)| waiting.from == from)?;
        let id = *id;
        let waiting = self.waiting.remove(&id)?;
        waiting.closed.cancel();
        self.left(from);
        Some(())
    }

    fn left(&mut self, from: IpAddr) {
        if let Some(count) = self.by_address.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&from);
            }
        }
    }
}

/// The place of one connection, until it is dropped.
pub(super) struct ConnectionSlot {
    connections: Arc<Connections>,
    waiting: Waiting,
    /// Its place among those that wait; `None` while it is being answered.
    waits: Mutex<Option<WaitOrder>>,
}

/// What the handler of a request knows its connection by.
pub(super) struct ConnectionOfRequest(pub(super) Weak<ConnectionSlot>);

/// All of this request has come, or its sender is known: its connection is not closed for another one until it was answered.
pub(super) fn is_answered(request: &HttpRequest) {
    let connection = request.conn_data::<ConnectionOfRequest>();
    if let Some(slot) = connection.and_then(|connection| connection.0.upgrade()) {
        slot.is_answered();
    }
}

impl ConnectionSlot {
    /// Cancelled when the connection is to be closed for another one.
    pub(super) fn closed(&self) -> CancellationToken {
        self.waiting.closed.clone()
    }

    /// It is not closed for another one until it waits again.
    pub(super) fn is_answered(&self) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(id) = *waits else {
            return;
        };
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Otherwise it was closed a moment ago.
        if open.waiting.remove(&id).is_some() {
            open.busy += 1;
            *waits = None;
        }
    }

    /// The answer is on its way.
    pub(super) fn waits_again(&self) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.is_none() {
            let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.busy -= 1;
            *waits = Some(open.wait(self.waiting.clone(), true));
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let waits = *self.waits.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        match waits {
            None => open.busy -= 1,
            // One that was closed has left already.
            Some(id) if open.waiting.remove(&id).is_none() => return,
            Some(_) => {}
        }
        open.left(self.waiting.from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits { all: 8, each: 4 };

    fn address(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    fn is_open(slot: &ConnectionSlot) -> bool {
        !slot.closed().is_cancelled()
    }

    /// Who says nothing makes room, the one that has waited longest first: of the same address, or of the address with most
    /// connections. Who is being answered is never closed.
    #[test]
    fn those_who_only_wait_make_room() {
        let connections = Connections::new(LIMITS);
        let kept = connections.admit(address(1), false).unwrap();
        kept.is_answered();
        let silent: Vec<_> = (0..5).map(|_| connections.admit(address(1), false).unwrap()).collect();
        assert_eq!(
            silent.iter().map(is_open).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        let others: Vec<_> = (0..4).map(|_| connections.admit(address(2), false).unwrap()).collect();
        let late = connections.admit(address(3), false).unwrap();
        assert!(is_open(&kept) && is_open(&late));
        let open = silent.iter().chain(&others).filter(|slot| is_open(slot)).count();
        assert_eq!(open, 6);
        drop((kept, silent, others, late));
        let open = connections.open.lock().unwrap();
        assert_eq!((open.busy, open.waiting.len(), open.by_address.len()), (0, 0, 0));
    }

    /// Who was answered before and waits again, as gateways do between calls, is closed after all of its address that never were.
    #[test]
    fn who_was_answered_goes_last() {
        let connections = Connections::new(LIMITS);
        let gateway = connections.admit(address(1), false).unwrap();
        gateway.is_answered();
        gateway.waits_again();
        let strangers: Vec<_> = (0..20).map(|_| connections.admit(address(1), false).unwrap()).collect();
        assert!(is_open(&gateway));
        assert_eq!(strangers.iter().filter(|slot| is_open(slot)).count(), 3);
    }

    /// Where everybody is being answered, a new one is turned away; one that waits again makes room again. A proxy has all of
    /// the places.
    #[test]
    fn those_who_are_answered_stay() {
        let connections = Connections::new(LIMITS);
        let busy = |from| {
            let slot = connections.admit(from, true)?;
            slot.is_answered();
            Some(slot)
        };
        let proxied: Vec<_> = (0..8).map(|_| busy(address(1)).unwrap()).collect();
        assert!(busy(address(1)).is_none() && busy(address(2)).is_none());
        proxied[3].waits_again();
        proxied[2].waits_again();
        assert!(busy(address(2)).is_some());
        assert!(!is_open(&proxied[3]) && is_open(&proxied[2]));
        // It was closed before its request was seen.
        proxied[3].is_answered();
        drop(proxied);
        let open = connections.open.lock().unwrap();
        assert_eq!((open.busy, open.waiting.len(), open.by_address.len()), (0, 0, 0));
    }

    /// A stranger with many addresses takes nothing from a proxy, behind which many others are, as long as any of these
    /// addresses has a connection that only waits.
    #[test]
    fn a_proxy_gives_way_last() {
        let connections = Connections::new(LIMITS);
        let proxied: Vec<_> = (0..6).map(|_| connections.admit(address(1), true).unwrap()).collect();
        let silent: Vec<_> = (10..20)
            .map(|n| connections.admit(address(n), false).unwrap())
            .collect();
        assert!(proxied.iter().all(is_open));
        let open: Vec<_> = silent.iter().filter(|slot| is_open(slot)).collect();
        assert_eq!(open.len(), 2);
        // A proxy's own new one has a stranger's place too, and one of its own where there is none.
        let more: Vec<_> = (0..3).map(|_| connections.admit(address(1), true).unwrap()).collect();
        assert!(!silent.iter().any(is_open) && more.iter().all(is_open));
        assert_eq!(proxied.iter().filter(|slot| is_open(slot)).count(), 5);
    }

    /// With any number of descriptors some are left for everything else.
    #[test]
    fn there_are_fewer_connections_than_descriptors() {
        for descriptors in [64, 256, 1_024, 65_536, usize::MAX] {
            let limits = ConnectionLimits::for_descriptors(descriptors);
            let accepted = ConnectionLimits::accepted(descriptors);
            assert!(
                limits.all < accepted && accepted < descriptors && limits.each < limits.all,
                "{limits:?}"
            );
        }
    }
}
