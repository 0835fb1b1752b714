//! Disturbs the story at every call in every way, and two and three controllers at once by chance: the end is always the
//! undisturbed one, and no two claims ever show one address.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::fake::process::{Process, eventually};
use crate::fake::server::{ADDRESSES, CAPI_ADDRESSES, CAPI_CLAIMS, CLAIMS, Fake, Fault, POOLS, quiet};
use crate::fake::story::{capi_claim, capi_claim_of, claim, claim_of, end, expected, pool, shown, tell_with};

/// How many calls the undisturbed story takes.
fn undisturbed() -> usize {
    let fake = Fake::new();
    tell_with(&fake);
    fake.calls(0)
}

fn disturb_each_call(fault: Fault) {
    let calls = undisturbed();
    for target in 0..calls {
        let fake = Fake::new();
        fake.choose(move |call| {
            if call.process == 0 && call.number == target {
                fault
            } else {
                Fault::None
            }
        });
        tell_with(&fake);
    }
    println!("{fault:?} at each of {calls} calls");
}

#[test]
fn dying_before_each_call_changes_nothing() {
    disturb_each_call(Fault::DieBefore);
}

#[test]
fn dying_after_each_call_changes_nothing() {
    disturb_each_call(Fault::DieAfter);
}

#[test]
fn losing_the_answer_to_each_call_changes_nothing() {
    disturb_each_call(Fault::Lose);
}

#[test]
fn doing_each_call_twice_changes_nothing() {
    disturb_each_call(Fault::Twice);
}

#[test]
fn refusing_each_call_changes_nothing() {
    for code in [409, 429, 500, 503] {
        disturb_each_call(Fault::Refuse(code));
    }
}

#[test]
fn at_rest_nothing_is_called() {
    let fake = Fake::new();
    let process = Process::start(&fake, 0);
    fake.create(POOLS, pool("p", 3));
    fake.create(CLAIMS, claim("a"));
    eventually("a is bound", || shown(&fake).values().all(Option::is_some));
    quiet(&fake, Duration::from_millis(200));
    let calls = fake.calls(0);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(fake.calls(0), calls);
    drop(process);
}

/// The pool's status is as long as all its claims together, so it is not written for each of them.
#[test]
fn a_flood_of_claims_takes_few_writes_of_the_pool() {
    const CLAIMS_OF_THE_FLOOD: usize = 500;
    let fake = Fake::new();
    let process = Process::start(&fake, 0);
    let mut large = pool("p", 3);
    large["spec"]["pools"] = serde_json::json!([{"start": "10.0.0.1", "end": "10.0.31.255"}]);
    fake.create(POOLS, large);
    quiet(&fake, Duration::from_millis(200));
    let before = fake.calls(0);
    for number in 0..CLAIMS_OF_THE_FLOOD {
        fake.create(CLAIMS, claim(&format!("c{number:04}")));
    }
    eventually("all are bound", || shown(&fake).values().all(Option::is_some));
    let beyond_the_claims = fake.calls(0) - before - 3 * CLAIMS_OF_THE_FLOOD;
    println!("{beyond_the_claims} calls beside three for each claim");
    assert!(
        beyond_the_claims <= 8,
        "{beyond_the_claims} calls beside three for each claim"
    );
    drop(process);
}

#[test]
fn without_cluster_apis_kinds_the_rest_works() {
    let fake = Fake::new();
    fake.without("ipam.cluster.x-k8s.io");
    fake.without("cluster.x-k8s.io");
    let _process = Process::start(&fake, 0);
    fake.create(POOLS, pool("p", 3));
    fake.create(CLAIMS, claim("a"));
    eventually("a is bound", || shown(&fake).values().all(Option::is_some));
}

/// A small source of chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, size: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % size
    }
}

/// How many pools chance plays with, how many addresses each has, and how many claims ask for them.
const POOLS_OF_CHANCE: u64 = 8;
const ADDRESSES_EACH: u8 = 6;
const NAMES: u64 = 64;

fn pool_name(number: u64) -> String {
    format!("p{}", number % POOLS_OF_CHANCE)
}

/// Users, faults and deaths by chance while several controllers act at once. Gives how many calls were disturbed.
fn chaos(seed: u64, controllers: usize, actions: usize) -> usize {
    let fake = Fake::new();
    let faulted = Arc::new(AtomicUsize::new(0));
    let mut chance = Chance(seed * 7919 + 1);
    let counter = Arc::clone(&faulted);
    fake.choose(move |call| {
        let fault = match chance.below(1000) {
            0..120 => Fault::Refuse([409, 429, 500, 503][chance.below(4) as usize]),
            120..200 => Fault::Lose,
            200..280 if call.method != Method::GET => Fault::Twice,
            280..400 => Fault::Delay(chance.below(12)),
            400..403 => Fault::DieBefore,
            403..406 => Fault::DieAfter,
            _ => Fault::None,
        };
        if fault != Fault::None {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        fault
    });
    for number in 0..POOLS_OF_CHANCE {
        fake.create(POOLS, pool(&pool_name(number), ADDRESSES_EACH));
    }
    let mut next = controllers;
    let mut processes: Vec<(usize, Process)> = (0..controllers).map(|n| (n, Process::start(&fake, n))).collect();
    let mut revive = |processes: &mut Vec<(usize, Process)>| {
        for (number, process) in processes {
            if fake.is_dead(*number) {
                *number = next;
                next += 1;
                *process = Process::start(&fake, *number);
            }
        }
    };
    let mut chance = Chance(seed * 104_729 + 3);
    for _ in 0..actions {
        let number = chance.below(NAMES);
        let (name, pool) = (format!("c{number}"), pool_name(number));
        match chance.below(24) {
            0..8 => drop(fake.create(CLAIMS, claim_of(&name, &pool))),
            8..14 => drop(fake.create(CAPI_CLAIMS, capi_claim_of(&name, &pool))),
            14..18 => fake.delete(CLAIMS, &name),
            18..21 => fake.delete(CAPI_CLAIMS, &name),
            21 => fake.break_watches(),
            _ => tamper(&fake, &mut chance),
        }
        revive(&mut processes);
        std::thread::sleep(Duration::from_millis(chance.below(4)));
    }
    // In calm weather everything comes to rest.
    fake.choose(|_| Fault::None);
    revive(&mut processes);
    let began = Instant::now();
    while at_rest(&fake).is_err() && began.elapsed() < Duration::from_secs(60) {
        quiet(&fake, Duration::from_millis(150));
    }
    assert_eq!(at_rest(&fake), Ok(()), "seed {seed}");
    assert_eq!(fake.broken(), None, "seed {seed}");
    faulted.load(Ordering::Relaxed)
}

/// Somebody deletes an address by hand, or takes a claim's status away.
fn tamper(fake: &Fake, chance: &mut Chance) {
    let collection = if chance.below(2) == 0 { ADDRESSES } else { CLAIMS };
    let objects = fake.list(collection);
    if objects.is_empty() {
        return;
    }
    let object = &objects[chance.below(objects.len() as u64) as usize];
    let name = object["metadata"]["name"].as_str().unwrap();
    if collection == ADDRESSES {
        fake.delete(ADDRESSES, name);
    } else {
        fake.clear_status(CLAIMS, name);
    }
}

/// Whether no claim waits for what is free, nothing leaks, and each pool records what is so.
fn at_rest(fake: &Fake) -> Result<(), String> {
    let shown = shown(fake);
    let deleting = |collection: &str| {
        fake.list(collection)
            .iter()
            .any(|object| object["metadata"].get("deletionTimestamp").is_some())
    };
    if deleting(CLAIMS) || deleting(CAPI_CLAIMS) {
        return Err("a deleted claim stays".into());
    }
    let held: BTreeSet<&String> = shown.values().flatten().collect();
    let objects = [ADDRESSES, CAPI_ADDRESSES]
        .map(|collection| fake.list(collection))
        .concat();
    let names: BTreeSet<String> = objects
        .iter()
        .map(|o| o["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    if names.iter().collect::<BTreeSet<_>>() != held {
        return Err(format!("objects {names:?} and shown {held:?}"));
    }
    for number in 0..POOLS_OF_CHANCE {
        let pool = pool_name(number);
        let number_of = |key: &str| key.rsplit_once(" c").unwrap().1.parse::<u64>().unwrap();
        let own = shown.iter().filter(|(key, _)| pool_name(number_of(key)) == pool);
        let (bound, waiting): (Vec<_>, Vec<_>) = own.partition(|(_, address)| address.is_some());
        if !waiting.is_empty() && bound.len() < usize::from(ADDRESSES_EACH) {
            return Err(format!("{waiting:?} wait beside {bound:?}"));
        }
        let indexes = fake.get(POOLS, &pool).unwrap()["status"]["indexes"].clone();
        if indexes.as_object().map_or(0, serde_json::Map::len) != bound.len() {
            return Err(format!("indexes {indexes} and {bound:?}"));
        }
    }
    Ok(())
}

#[test]
fn chance_never_gives_an_address_twice() {
    // CAPV_IPAM_CHAOS is how many calls are to be disturbed; the default is what every run can afford.
    let wanted = std::env::var("CAPV_IPAM_CHAOS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3000);
    let (faulted, seed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Rounds wait more than they work.
    let at_once = (wanted / 1500).clamp(1, 12);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while faulted.load(Ordering::Relaxed) < wanted {
                    let seed = seed.fetch_add(1, Ordering::Relaxed) + 1;
                    let disturbed = chaos(seed as u64, 2 + (seed % 2), 3000);
                    faulted.fetch_add(disturbed, Ordering::Relaxed);
                }
            });
        }
    });
    println!(
        "{} calls disturbed in {} rounds",
        faulted.into_inner(),
        seed.into_inner()
    );
}

#[test]
fn a_sleeper_between_decision_and_creation_does_no_harm() {
    let fake = Fake::new();
    fake.create(POOLS, pool("p", 3));
    // The first process stops for a while at its first creation of an address, that is, after its decision.
    fake.choose(|call| {
        let creates = call.method == Method::POST && call.what.ends_with("ipaddresses");
        if call.process == 0 && creates {
            Fault::Delay(1500)
        } else {
            Fault::None
        }
    });
    let first = Process::start(&fake, 0);
    fake.create(CLAIMS, claim("a"));
    eventually("the decision", || {
        fake.get(POOLS, "p")
            .unwrap()
            .pointer("/status/indexes/a")
            .is_some_and(|address| *address == json!("192.0.2.1"))
    });
    eventually("the finalizer", || {
        fake.get(CLAIMS, "a")
            .is_some_and(|claim| claim["metadata"].get("finalizers").is_some())
    });
    // Meanwhile the claim goes, and its address to another one.
    let second = Process::start(&fake, 1);
    fake.delete(CLAIMS, "a");
    eventually("a is gone", || fake.get(CLAIMS, "a").is_none());
    fake.create(CAPI_CLAIMS, capi_claim("b"));
    eventually("b is bound", || shown(&fake).values().all(Option::is_some));
    std::thread::sleep(Duration::from_millis(1600));
    eventually("the sleeper's object is collected", || {
        quiet(&fake, Duration::from_millis(100));
        let all: Vec<Value> = [ADDRESSES, CAPI_ADDRESSES]
            .map(|collection| fake.list(collection))
            .concat();
        all.len() == 1
    });
    assert_eq!(fake.broken(), None);
    drop((first, second));
}

#[test]
fn the_undisturbed_story_ends_as_it_should() {
    let fake = Fake::new();
    tell_with(&fake);
    assert_eq!(end(&fake), expected());
}
