//! Takes a world and an event, and gives the world after it: which groups act, and what for.

use std::collections::BTreeSet;

use super::demand::Intent;
use super::event::{Event, EventError, EventKind};
use super::start::GroupStart;
use super::step::Acts;
use super::world::{PoolUse, World};
use crate::objects::Strategy;

impl World {
    /// Plays an event to its end, or until it is stuck. Events follow each other; two at the same time are one event that
    /// concerns both groups, such as `rollout`.
    ///
    /// # Errors
    /// The event names what there is not, or asks for what cannot be. The world is as it was then.
    pub fn play(&mut self, event: &Event) -> Result<Vec<PoolUse>, EventError> {
        let wrong = |problem: String| EventError {
            event: event.text.clone(),
            problem,
        };
        let nobody = BTreeSet::new;
        let (acts, repaired) = match &event.kind {
            EventKind::Rollout(None) => return Ok(self.roll_out()),
            EventKind::Rollout(Some(name)) => {
                let group = self.group_named(name).map_err(wrong)?;
                (self.rollouts([group]), nobody())
            }
            EventKind::Scale(name, replicas) => {
                let group = self.group_named(name).map_err(wrong)?;
                self.groups[group].is.replicas = Some(*replicas);
                (Acts::from([(group, Intent::Settle)]), nobody())
            }
            EventKind::Delete(name) => {
                let group = self.group_named(name).map_err(wrong)?;
                if self.count(group).most == Some(0) {
                    return Err(wrong(format!("{name} has no machine")));
                }
                (Acts::from([(group, Intent::Replace)]), nobody())
            }
            EventKind::Enlarge { pool, range, repairs } => {
                let pool = self.pool_named(pool).map_err(wrong)?;
                let enlarged = self.pools[pool].enlarged(*range, &self.endpoints);
                self.pools[pool].pool = Some(enlarged.map_err(wrong)?);
                let goes_on = *repairs || self.retries(pool);
                (Acts::new(), Some(pool).filter(|_| goes_on).into_iter().collect())
            }
            EventKind::Repair(Some(name)) => (Acts::new(), BTreeSet::from([self.pool_named(name).map_err(wrong)?])),
            EventKind::Repair(None) => (Acts::new(), (0..self.pools.len()).collect()),
            EventKind::DeleteCluster(name) => {
                let groups = match name {
                    Some(name) => self.cluster_named(name).map_err(wrong)?,
                    None => (0..self.groups.len()).collect(),
                };
                for group in &groups {
                    self.groups[*group].is.replicas = Some(0);
                    self.groups[*group].is.elastic = false;
                    self.groups[*group].gone = true;
                }
                let gone = groups.into_iter().map(|group| (group, Intent::Remove));
                (gone.collect(), nobody())
            }
        };
        Ok(self.step(acts, repaired))
    }

    /// The groups that a roll-out is meant for and that replace machines only when somebody deletes them.
    pub(in crate::planning) fn left_alone(&self, event: &Event) -> impl Iterator<Item = &GroupStart> + '_ {
        let meant: Vec<usize> = match &event.kind {
            EventKind::Rollout(None) => (0..self.groups.len()).collect(),
            EventKind::Rollout(Some(name)) => self.group_named(name).into_iter().collect(),
            _ => Vec::new(),
        };
        let meant = meant.into_iter().map(|group| &self.groups[group].is);
        meant.filter(|is| is.strategy == Strategy::OnDelete && is.replicas != Some(0))
    }

    /// The control plane that an event gives a number of replicas which the API server refuses, or takes only from some.
    pub(in crate::planning) fn doubtful_scale(&self, event: &Event) -> Option<(&GroupStart, u32)> {
        let EventKind::Scale(name, replicas) = &event.kind else {
            return None;
        };
        let is = &self.groups[self.group_named(name).ok()?].is;
        (is.kind == "KubeadmControlPlane" && replicas % 2 == 0).then_some((is, *replicas))
    }

    /// Rolls out every group, all at once.
    pub fn roll_out(&mut self) -> Vec<PoolUse> {
        self.step(self.rollouts(0..self.groups.len()), BTreeSet::new())
    }

    /// Groups that replace machines by themselves and have any.
    fn rollouts(&self, groups: impl IntoIterator<Item = usize>) -> Acts {
        let rolls = |group: &usize| {
            let is = &self.groups[*group].is;
            is.strategy != Strategy::OnDelete && is.replicas != Some(0)
        };
        let rolling = groups.into_iter().filter(rolls);
        rolling.map(|group| (group, Intent::Rollout)).collect()
    }
}
