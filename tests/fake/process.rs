//! One run of the in-cluster mode in a thread of its own, which can die between any two calls.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use capv_ipam::controller::{Options, Role, run};
use futures::channel::oneshot;

use crate::fake::server::Fake;

/// A running controller.
pub(crate) struct Process {
    number: usize,
    fake: Fake,
    kill: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the pool role.
    pub(crate) fn start(fake: &Fake, number: usize) -> Self {
        let options = Options {
            roles: [Role::Pool].into(),
            ..Options::default()
        };
        Self::start_with(fake, number, options)
    }

    pub(crate) fn start_with(fake: &Fake, number: usize, options: Options) -> Self {
        let (kill, killed) = oneshot::channel::<()>();
        let client_of = fake.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    end = run(client_of.client(number), options, std::future::pending()) => drop(end),
                    _ = killed => {}
                }
            });
            // The runtime goes, and with it everything that was under way.
        });
        Self {
            number,
            fake: fake.clone(),
            kill: Some(kill),
            thread: Some(thread),
        }
    }

    /// Kills it: from here on nothing of it reaches the server.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.fake.bury(self.number);
        drop(self.kill.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "in 30 s it did not come to this: {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
