//! Many sessions at once, each on one core.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `work` for every job number below `jobs` on `workers` threads; what came of each, in the
/// order of the numbers however they were done. `done` is told after each, on the calling thread.
///
/// # Panics
///
/// As `work` does.
pub(super) fn run<T: Send>(
    jobs: usize,
    workers: NonZeroUsize,
    work: impl Fn(usize) -> T + Sync,
    mut done: impl FnMut(),
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<T>> = Vec::new();
    results.resize_with(jobs, || None);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let crew: Vec<_> = (0..workers.get().min(jobs))
            .map(|_| {
                let (sender, next, work) = (sender.clone(), &next, &work);
                scope.spawn(move || {
                    loop {
                        let job = next.fetch_add(1, Ordering::Relaxed);
                        if job >= jobs || sender.send((job, work(job))).is_err() {
                            break;
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        for (job, result) in receiver {
            results[job] = Some(result);
            done();
        }
        for worker in crew {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    results.into_iter().map(|result| result.expect("every job was done")).collect()
}

/// As many workers as there are cores to be had.
pub(super) fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs_whoever_did_them() {
        for workers in 1..=5 {
            let mut done = 0;
            let workers = NonZeroUsize::new(workers).unwrap();
            let results = run(100, workers, |job| job * job, || done += 1);
            assert_eq!(results, (0..100).map(|job| job * job).collect::<Vec<_>>());
            assert_eq!(done, 100);
        }
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        assert_eq!(run(0, NonZeroUsize::MIN, |job| job, || ()), [0; 0]);
    }
}
