//! metal3's own manager and this program beside each other on one API server, each in a namespace of its own: the same
//! history comes to the same objects.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api_server::{ApiServer, Supervised};
use crate::bench::{
    ADDRESS, Bench, CAPI_ADDRESS, CAPI_CLAIM, CLAIM, Controller, POOL, capi_claim, claim, eventually, failure, run,
    shown,
};
use crate::metal3::{self, UNBOUND, difference, start, view};

/// Both, each with a namespace.
struct Sides {
    theirs: Bench,
    ours: Bench,
    story: Vec<String>,
    _manager: Supervised,
    _controller: Controller,
}

impl Sides {
    async fn new(server: &'static ApiServer, program: &Path) -> Self {
        let (theirs, ours) = (Bench::new(server).await, Bench::new(server).await);
        let (manager, controller) = (start(program, &theirs, &UNBOUND), ours.controller(&["--roles=pool"]));
        Self {
            theirs,
            ours,
            story: Vec::new(),
            _manager: manager,
            _controller: controller,
        }
    }

    fn each(&self) -> [&Bench; 2] {
        [&self.theirs, &self.ours]
    }

    /// Waits until both show the same.
    async fn agree(&self) {
        let began = Instant::now();
        loop {
            let (theirs, ours) = (view(&self.theirs).await, view(&self.ours).await);
            if theirs == ours {
                return;
            }
            if began.elapsed() > Duration::from_secs(20) {
                panic!("{}\n{}", self.story.join("\n"), difference(&theirs, &ours));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn pool(&mut self, what: String, spec: Value) {
        self.story.push(what);
        let object = json!({"apiVersion": POOL.0, "kind": POOL.1, "metadata": {"name": "p"}, "spec": spec});
        for side in self.each() {
            match side.get(POOL, "p").await {
                None => drop(side.create(object.clone()).await),
                Some(_) => drop(side.patch(POOL, "p", json!({"spec": spec})).await),
            }
        }
        self.agree().await;
    }

    /// Creates a claim; gives whether it got an address.
    async fn claim(&mut self, kind: (&str, &str), name: &str, asks: Option<&str>) -> bool {
        let asked = asks.map_or_else(String::new, |text| format!(" that asks for {text}"));
        self.story.push(format!("{} {name}{asked}", kind.1));
        let mut object = if kind == CLAIM {
            claim(name, "p")
        } else {
            capi_claim(name, "p")
        };
        if let Some(text) = asks {
            object["metadata"]["annotations"] = json!({"ipAddress": text});
        }
        let mut bound = Vec::new();
        for side in self.each() {
            side.create(object.clone()).await;
            let what = format!("{name} has an answer in {}\n{}", side.namespace, self.story.join("\n"));
            let answer = eventually(&what, async || {
                let claim = side.get(kind, name).await?;
                shown(&claim).map(|_| true).or(failure(&claim).map(|_| false))
            });
            bound.push(answer.await);
        }
        self.agree().await;
        bound[0]
    }

    /// The address that the pool keeps for the claim.
    async fn fixed(&self, name: &str) -> Value {
        let pool = self.ours.get(POOL, "p").await.unwrap();
        pool.data["spec"]["preAllocations"][name].clone()
    }

    /// Whether the pool names the claim.
    async fn is_fixed(&self, name: &str) -> bool {
        self.fixed(name).await.is_string()
    }

    /// Whether the claim has a preAllocation that another one holds. metal3's manager then tries for ever to create the other's
    /// address object anew (its issue 1437); here the claim is refused.
    async fn is_preempted(&self, name: &str) -> bool {
        let fixed = self.fixed(name).await;
        let mut objects = self.ours.list(ADDRESS).await;
        objects.extend(self.ours.list(CAPI_ADDRESS).await);
        fixed.is_string() && objects.iter().any(|object| object.data["spec"]["address"] == fixed)
    }

    async fn delete(&mut self, kind: (&str, &str), name: &str) {
        self.story.push(format!("delete {} {name}", kind.1));
        for side in self.each() {
            side.delete(kind, name).await;
            side.gone(kind, name).await;
        }
        self.agree().await;
    }
}

/// Numbers that a seed fixes.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A pool of so many entries, with one of the sets of preAllocations, of a Cluster or not.
fn spec((entries, fixed, cluster): (usize, usize, bool)) -> Value {
    let entries: Vec<Value> = [
        json!({"start": "10.0.0.10", "end": "10.0.0.14"}),
        json!({"subnet": "10.1.0.0/29", "prefix": 29, "gateway": "10.1.0.1", "dnsServers": ["10.1.0.2"]}),
        json!({"start": "fd00::a", "end": "fd00::d", "prefix": 64, "gateway": "fd00::1"}),
        json!({"start": "10.2.0.0", "end": "10.2.0.200", "subnet": "10.2.0.128/28"}),
    ]
    .into_iter()
    .take(entries)
    .collect();
    let fixed = [
        json!({}),
        json!({"c1": "10.0.0.12"}),
        json!({"c1": "10.0.0.12", "c3": "10.1.0.5", "k1": "10.0.0.13"}),
    ][fixed]
        .clone();
    let mut spec = json!({"namePrefix": "pre", "prefix": 24, "gateway": "10.0.0.1", "dnsServers": ["10.0.0.2", "10.0.0.3"],
        "pools": entries, "preAllocations": fixed});
    if cluster {
        spec["clusterName"] = json!("c");
    }
    spec
}

/// What came of the claims of a history.
#[derive(Default)]
struct Answers {
    granted: usize,
    refused: usize,
    /// Granted because the pool names them.
    fixed: usize,
}

/// One history: what it has come to.
struct History {
    sides: Sides,
    chance: Chance,
    claims: Vec<((&'static str, &'static str), String)>,
    /// How many entries the pool has, of how many preAllocations, and whether of a Cluster.
    pool: (usize, usize, bool),
    next: usize,
    answers: Answers,
}

impl History {
    /// Every other pool belongs to a Cluster.
    async fn begin(server: &'static ApiServer, program: &Path, seed: u64) -> Self {
        let mut sides = Sides::new(server, program).await;
        for side in sides.each() {
            side.create(crate::capv::cluster("c")).await;
        }
        let pool = (2, usize::try_from(seed % 3).unwrap(), seed.is_multiple_of(2));
        sides.pool(format!("seed {seed}: {pool:?}"), spec(pool)).await;
        Self {
            sides,
            chance: Chance(seed),
            claims: Vec::new(),
            pool,
            next: 0,
            answers: Answers::default(),
        }
    }

    async fn step(&mut self) {
        match self.chance.below(10) {
            0..6 => self.claim().await,
            6..9 if !self.claims.is_empty() => self.delete().await,
            _ => self.change_pool().await,
        }
    }

    async fn claim(&mut self) {
        let kind = [CLAIM, CLAIM, CAPI_CLAIM][self.chance.below(3)];
        let name = format!("{}{}", if kind == CLAIM { "c" } else { "k" }, self.next);
        self.next += 1;
        let asks = [
            "10.0.0.11",
            "10.1.0.3",
            "10.9.0.1",
            "fd00::c",
            "10.0.0.12",
            "::ffff:10.0.0.13",
        ];
        let asks = (self.chance.below(4) == 0).then(|| asks[self.chance.below(asks.len())]);
        self.ask(kind, name, asks).await;
    }

    /// A claim that is refused is deleted: metal3's manager never tries it again.
    async fn ask(&mut self, kind: (&'static str, &'static str), name: String, asks: Option<&str>) {
        if self.sides.is_preempted(&name).await {
            return;
        }
        if self.sides.claim(kind, &name, asks).await {
            self.answers.granted += 1;
            self.answers.fixed += usize::from(self.sides.is_fixed(&name).await);
            self.claims.push((kind, name));
        } else {
            self.answers.refused += 1;
            self.sides.delete(kind, &name).await;
        }
    }

    /// A claim goes, and may come again, as a machine of the same name does.
    async fn delete(&mut self) {
        let (kind, name) = self.claims.remove(self.chance.below(self.claims.len()));
        self.sides.delete(kind, &name).await;
        if self.chance.below(3) == 0 {
            self.ask(kind, name, None).await;
        }
    }

    async fn change_pool(&mut self) {
        let (entries, fixed, _) = &mut self.pool;
        *entries = (*entries + self.chance.below(2)).min(4);
        *fixed = self.chance.below(3).max(*fixed);
        self.sides.pool(format!("{:?}", self.pool), spec(self.pool)).await;
    }

    async fn end(mut self) -> Answers {
        for (kind, name) in std::mem::take(&mut self.claims) {
            self.sides.delete(kind, &name).await;
        }
        for side in self.sides.each() {
            side.delete(POOL, "p").await;
            side.gone(POOL, "p").await;
        }
        self.sides.agree().await;
        self.answers
    }
}

/// One claim at a time, so that the order of a batch, which metal3's manager leaves open, plays no part.
async fn play(server: &'static ApiServer, program: &Path, seed: u64, steps: usize) -> Answers {
    let mut history = History::begin(server, program, seed).await;
    for _ in 0..steps {
        history.step().await;
    }
    history.end().await
}

#[test]
fn the_same_history_comes_to_the_same_objects() {
    let Some(server) = crate::api_server::shared() else {
        return;
    };
    let Some(program) = metal3::program(server) else { return };
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    run(async {
        let mut all = Answers::default();
        let first = number("CAPV_IPAM_FIRST_STORY", 1);
        for seed in first..first + number("CAPV_IPAM_STORIES", 2) {
            let answers = play(server, &program, seed, 40).await;
            all.granted += answers.granted;
            all.refused += answers.refused;
            all.fixed += answers.fixed;
        }
        println!(
            "{} claims granted and {} refused alike, {} by preAllocations",
            all.granted, all.refused, all.fixed
        );
        assert!(all.granted > 20 && all.refused > 0 && all.fixed > 0);
    });
}
