# What this house can do. `make` alone prints it.

# rustup puts cargo where a fresh shell may not look yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help demo bench baseline pesq netem interop test check fmt clippy doc wasm clean tools

# What the demo is to do; only what is set is passed on.
demo_flags = $(if $(LINK),--link '$(LINK)') \
             $(if $(TRANSPORT),--transport '$(TRANSPORT)') \
             $(if $(MEDIA),--media '$(MEDIA)') \
             $(if $(FOR),--for '$(FOR)') \
             $(if $(LATENCY),--latency '$(LATENCY)') \
             $(if $(OUT),--out '$(OUT)')

help:
	@echo 'make demo     play a sample across an emulated network and say how the promise was kept;'
	@echo '              LINK=bursty TRANSPORT=quic MEDIA=narration FOR=20s LATENCY=200ms OUT=speaker'
	@echo '              choose another link, transport, sample, length, latency or output'
	@echo 'make bench    every standing link in virtual time, with tables and plots: target/bench/report.html'
	@echo 'make baseline compare a smaller bench with what it came to before; UPDATE=1 makes it the new'
	@echo '              benches/baseline.json'
	@echo 'make pesq     how speech sounds across a link, by PESQ-WB: narration over bursty at 200 ms;'
	@echo '              LINK, LATENCY, TRANSPORT choose others (needs python3 with venv)'
	@echo 'make netem    streamer and player across the kernel'\''s netem, which is compared with ours (root)'
	@echo 'make interop  the programs of others against ours, pair by pair, in a table (docs/interop.md);'
	@echo '              as root it installs those that are missing; SUBSET=1 runs what CI runs,'
	@echo '              ONLY='\''mpv wifi'\'' the lines that hold these words'
	@echo 'make test     run all tests'
	@echo 'make check    formatting, lints, documentation, and the QoS engine built for the browser'
	@echo 'make clean    remove what was built and what the demo wrote'

demo: tools
	cargo build --release --locked -p cantus-streamer -p cantus-player -p cantus-bench
	cargo run --release --locked --quiet -p cantus-bench -- demo $(strip $(demo_flags))

bench: tools
	cargo run --release --locked --quiet -p cantus-bench -- matrix benches/plans/standing.toml --out target/bench

# In virtual time and with generated traces the figures are the same on every machine. What is
# compared here was built for the tests: nothing is built twice.
baseline: tools
	@mkdir -p target
	cargo run --locked --quiet -p cantus-bench -- matrix benches/plans/baseline.toml \
	  --generated-traces --out target/baseline >target/baseline.txt
	@if [ -n '$(UPDATE)' ]; then \
	  cp target/baseline/results.json benches/baseline.json && \
	  echo 'benches/baseline.json is what the bench came to now'; \
	else \
	  cargo run --locked --quiet -p cantus-bench -- compare --exact benches/baseline.json \
	    target/baseline/results.json || \
	  { echo 'If that is meant: make baseline UPDATE=1, and commit benches/baseline.json'; exit 1; }; \
	fi

# In virtual time; what is judged lies in target/pesq.
pesq: tools
	cargo build --release --locked -p cantus-bench
	benches/pesq/run '$(or $(LINK),bursty)' '$(or $(LATENCY),200ms)' '$(or $(TRANSPORT),rtsp)'

# As root. Builds what it needs itself, once it knows that it can run.
netem: tools
	@benches/netem/run

# What each case ran and printed lies in target/interop/runs.
interop: tools
	@python3 tests/interop $(if $(SUBSET),--subset) $(if $(ONLY),--only '$(ONLY)')

test: tools
	cargo test --workspace --locked

check: fmt clippy doc wasm

fmt: tools
	cargo fmt --all --check
	cargo fmt --check --manifest-path tests/interop/retina/Cargo.toml

clippy: tools
	cargo clippy --workspace --all-targets --locked -- -D warnings

doc: tools
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

# Without SIMD: that is C, and there is no C library for this target.
wasm: tools
	@if [ -d "$$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then \
	  set -x; \
	  cargo build -p cantus-qos --target wasm32-unknown-unknown --no-default-features --locked; \
	else \
	  echo 'NOT RUN: cantus-qos for wasm32-unknown-unknown, because that target is not installed' \
	       '(rustup target add wasm32-unknown-unknown)'; \
	fi

clean:
	cargo clean
	rm -f demo.wav demo.srt demo-report.json

tools:
	@.ci/tools
