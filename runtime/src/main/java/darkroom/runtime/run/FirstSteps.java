package darkroom.runtime.run;

import darkroom.actors.device.PolicyVersion;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StopWhen;
import darkroom.actors.run.RunOrder;
import darkroom.actors.run.RunPorts;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.runtime.base.CommandFailedException;
import darkroom.tensors.TensorStore;
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
 * Measures how fast this machine takes the first steps of a run and evaluates held-out rows. The steps are those of the
 * run, taken before it begins and discarded. On a slow machine one step is enough; on others the first one, in which
 * code is compiled, does not count.
 */
public final class FirstSteps implements RunListener, StopWhen {
    /** Limit on the steps taken. */
    static final int STEPS_MAX = 3;

    /** No further step begins after this time. */
    static final Duration ENOUGH = Duration.ofSeconds(15);

    private static final int ROWS = 12;

    private final InstantSource clock;
    private final Instant began;
    private final Consumer<String> say;
    private final List<Duration> steps = new ArrayList<>();
    private Instant last;

    /**
     * Speed of this machine.
     *
     * @param step time of a step
     * @param evaluatedPerSecond held-out images generated and scored per second
     */
    public record Speed(Duration step, double evaluatedPerSecond) {
        public Speed {
            if (!step.isPositive() || !(evaluatedPerSecond > 0)) {
                throw new IllegalArgumentException(
                        "step=%s and evaluatedPerSecond=%s must be above 0".formatted(step, evaluatedPerSecond));
            }
        }
    }

    /**
     * Creates a measurement.
     *
     * @param say receives the line about the first step
     */
    FirstSteps(InstantSource clock, Consumer<String> say) {
        this.clock = clock;
        this.say = say;
        this.began = clock.instant();
        this.last = began;
    }

    /**
     * Takes the steps and returns their speed. Blocks while it computes; nothing is written.
     *
     * @param settings settings whose precisions are decided
     * @throws CommandFailedException if a step fails
     */
    public static Speed measure(RunSettings settings, InstantSource clock, PrintWriter warnings, Consumer<String> say)
            throws IOException, InterruptedException {
        PolicyModel policy = PolicyModels.open(settings);
        try (Scorers scorers = Scorers.open(settings.scoring());
                RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            TensorStore store = environment.plane().store();
            OpenPrompts open = new OpenPrompts(store);
            DataSplits data = DataSplits.of(settings, warnings);
            FirstSteps first = new FirstSteps(clock, say);
            RunPorts ports = new RunPorts(
                    new RowPrompts(
                            data.train(), settings.seed(), settings.rollout().groupsPerStep(), open),
                    first,
                    environment.plane(),
                    first,
                    clock);
            try (LocalActorSystem guardian = new LocalActorSystem(settings, policy, scorers, ports, environment)) {
                RunState from = RunState.fresh(LearnerTensors.fresh(policy.initial(settings.seed()), store));
                RunEvent.Ended ended = guardian.run(new RunOrder("first-steps", from, STEPS_MAX, Optional.empty()));
                if (ended.end() instanceof RunEvent.End.Failed(String message)) {
                    throw new CommandFailedException(message);
                }
                int images = settings.evaluation().imagesPerTask();
                Instant before = clock.instant();
                guardian.evaluate(new EvaluationRequest(
                        "first-rows",
                        LocalRun.EVALUATION_SEED,
                        LocalRun.HELD_OUT_KEY,
                        new PolicyVersion(ended.state().step()),
                        ended.state().learner().average(),
                        open.open(data.heldOut()
                                .first(Math.min(ROWS, data.heldOut().size()))),
                        images));
                double generated = Math.min(ROWS, data.heldOut().size()) * (double) images;
                double seconds =
                        Math.max(1e-3, Duration.between(before, clock.instant()).toNanos() / 1e9);
                return new Speed(first.step(), generated / seconds);
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
                        "first step: %d edits generated, scored and learned from in %.1f s; judge's mean score is %s",
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

    /**
     * Returns the time of the fastest step, without the first if there are several; it is least affected by other work
     * on the machine.
     */
    Duration step() {
        return steps.subList(steps.size() > 1 ? 1 : 0, steps.size()).stream()
                .min(Comparator.naturalOrder())
                .orElseThrow(() -> new IllegalStateException("no step was committed"));
    }
}
