package darkroom.runtime;

import darkroom.actors.EvaluationRequest;
import darkroom.actors.PolicyVersion;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunOrder;
import darkroom.actors.RunPorts;
import darkroom.actors.RunState;
import darkroom.actors.StopWhen;
import darkroom.actors.TensorStore;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How fast this machine takes the first steps of a run and draws held-out rows: the very steps of the run, taken before it
 * begins and thrown away. On a slow machine one step is enough; on others the first one, in which code is compiled, does not count.
 */
final class FirstSteps implements RunListener, StopWhen {
    /** Steps taken, at most. */
    static final int STEPS_MAX = 3;

    /** No further step is begun after this time. */
    static final Duration ENOUGH = Duration.ofSeconds(15);

    private static final int ROWS = 12;

    private final InstantSource clock;
    private final Instant began;
    private final Consumer<String> say;
    private final List<Duration> steps = new ArrayList<>();
    private Instant last;

    /**
     * @param step time of a step
     * @param evaluatedPerSecond held-out images drawn and scored a second
     */
    record Speed(Duration step, double evaluatedPerSecond) {
        Speed {
            if (!step.isPositive() || !(evaluatedPerSecond > 0)) {
                throw new IllegalArgumentException(
                        "step=%s and evaluatedPerSecond=%s must be above 0".formatted(step, evaluatedPerSecond));
            }
        }
    }

    /** @param say takes the line that tells of the first step */
    FirstSteps(InstantSource clock, Consumer<String> say) {
        this.clock = clock;
        this.say = say;
        this.began = clock.instant();
        this.last = began;
    }

    /**
     * Takes the steps. Blocks while it computes; nothing is written.
     *
     * @param settings whose precisions are decided
     * @throws CommandFailedException if a step fails
     */
    static Speed measure(RunSettings settings, InstantSource clock, PrintWriter warnings, Consumer<String> say)
            throws IOException, InterruptedException {
        EmbeddedPolicy policy = new EmbeddedPolicy(
                DitWeights.base(settings.policy().base()),
                settings.rollout(),
                settings.evaluation(),
                settings.training());
        try (Scorers scorers = Scorers.open(settings.scoring());
                Ground ground = Ground.Alone.with(settings)) {
            TensorStore store = ground.plane().store();
            OpenPrompts open = new OpenPrompts(store);
            DataSplits data = DataSplits.of(settings, warnings);
            FirstSteps first = new FirstSteps(clock, say);
            RunPorts ports = new RunPorts(
                    new RowPrompts(
                            data.train(), settings.seed(), settings.rollout().groupsPerStep(), open),
                    first,
                    ground.plane(),
                    first,
                    clock);
            try (LocalStudio studio = new LocalStudio(settings, policy, scorers, ports, ground)) {
                RunState from = RunState.fresh(LocalRun.learner(policy.initial(settings.seed()), store));
                RunEvent.Ended ended = studio.run(new RunOrder("first-steps", from, STEPS_MAX, Optional.empty()));
                if (ended.end() instanceof RunEvent.End.Failed(String message)) {
                    throw new CommandFailedException(message);
                }
                int images = settings.evaluation().imagesPerTask();
                Instant before = clock.instant();
                studio.evaluate(new EvaluationRequest(
                        "first-rows",
                        LocalRun.EVALUATION_SEED,
                        LocalRun.HELD_OUT_KEY,
                        new PolicyVersion(ended.state().step()),
                        ended.state().learner().average(),
                        open.open(data.heldOut()
                                .first(Math.min(ROWS, data.heldOut().size()))),
                        images));
                double drawn = Math.min(ROWS, data.heldOut().size()) * (double) images;
                double seconds =
                        Math.max(1e-3, Duration.between(before, clock.instant()).toNanos() / 1e9);
                return new Speed(first.step(), drawn / seconds);
            }
        }
    }

    @Override
    public void heard(RunEvent event) {
        if (event instanceof RunEvent.StepCommitted committed) {
            Instant now = clock.instant();
            steps.add(Duration.between(last, now));
            last = now;
            if (steps.size() == 1) {
                say.accept(String.format(
                        Locale.ROOT,
                        "first step: %d edits drawn, scored and learned from in %.1f s; the judge's mean score is %s",
                        committed.tally().issued(),
                        steps.getFirst().toNanos() / 1e9,
                        committed.statistics().mean().isPresent()
                                ? String.format(
                                        Locale.ROOT,
                                        "%.3f",
                                        committed.statistics().mean().getAsDouble())
                                : "absent"));
            }
        }
    }

    @Override
    public Optional<String> reason(RunEvent.StepCommitted committed, Optional<RunEvent.Evaluated> validation) {
        return Duration.between(began, clock.instant()).compareTo(ENOUGH) >= 0
                ? Optional.of("measured")
                : Optional.empty();
    }

    /** The fastest step, of more than one without the first; what other work on the machine delays counts least. */
    Duration step() {
        return steps.subList(steps.size() > 1 ? 1 : 0, steps.size()).stream()
                .min(Comparator.naturalOrder())
                .orElseThrow(() -> new IllegalStateException("no step was committed"));
    }
}
