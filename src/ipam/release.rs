//! Takes a claim that is being deleted, answers whether its address may go; never touches a finalizer.

use super::claim::{Claim, ClaimKind};
use crate::api::in_cluster;

/// What stands between a claim that is being deleted and the release of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing: the address goes, then our finalizer.
    None,
    /// Only the in-cluster provider's finalizer on a claim that is none of its own: the address goes all the same.
    Stray,
    /// Somebody's finalizer or a grace period: the address stays.
    Foreign,
}

impl Claim {
    /// Whose finalizers hold the address of a claim that is being deleted. The in-cluster provider waits for none of them,
    /// only for the end of its grace period (`ipamutil/reconciler.go`).
    pub(crate) fn hold(&self) -> Hold {
        if self.resting {
            return Hold::Foreign;
        }
        let mut hold = Hold::None;
        if self.is_in_cluster() {
            return hold;
        }
        for finalizer in self.finalizers.iter().filter(|f| !self.is_own(f)) {
            if self.id.kind != ClaimKind::IPAddressClaim || finalizer != in_cluster::CLAIM_FINALIZER {
                return Hold::Foreign;
            }
            hold = Hold::Stray;
        }
        hold
    }

    /// Whether it is deleted and nothing holds its address back, so that the address can be gone before the claim is.
    pub(crate) fn is_letting_go(&self) -> bool {
        self.deleting && self.hold() != Hold::Foreign
    }

    /// Whether its provider's finalizer is still on the claim.
    pub(crate) fn is_guarded(&self) -> bool {
        self.finalizers.iter().any(|finalizer| self.is_own(finalizer))
    }

    /// Whether the claim was released already and only waits for a stray finalizer.
    pub(crate) fn is_let_go(&self) -> bool {
        self.deleting && self.hold() != Hold::Foreign && !self.is_guarded()
    }

    fn is_own(&self, finalizer: &str) -> bool {
        finalizer == self.id.kind.finalizer() || (finalizer == in_cluster::CLAIM_FINALIZER && self.is_in_cluster())
    }

    fn is_in_cluster(&self) -> bool {
        self.id.kind == ClaimKind::IPAddressClaim && self.pool.api_group == in_cluster::GROUP
    }
}
