package darkroom.runtime.studies;

import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.StopWhen;
import darkroom.actors.run.RunPorts;
import darkroom.config.RunSettings;
import darkroom.runtime.base.Evaluator;
import darkroom.runtime.base.Rows;
import darkroom.runtime.run.EditingPolicy;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.LocalRun;
import darkroom.runtime.run.OpenPrompts;
import darkroom.runtime.run.RowPrompts;
import darkroom.runtime.run.RunEnvironment;
import darkroom.runtime.run.Scorers;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorStore;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/**
 * Generates and scores edits of rows with a policy, in this process, without a run: the measurement of {@code eval}.
 */
public final class HeldOutRollout {
    private HeldOutRollout() {}

    /**
     * Runs the evaluation.
     *
     * @param name of the evaluation
     * @param seen makes the returned value, while the images are held
     */
    public static <T> T of(
            EditingPolicy editing,
            Rows rows,
            String name,
            Scorers judge,
            BiFunction<RunEvent.Evaluated, Evaluator, T> seen)
            throws Exception {
        RunSettings settings = editing.settings();
        AtomicReference<T> result = new AtomicReference<>();
        try (RunEnvironment environment = RunEnvironment.Alone.with(settings)) {
            TensorStore store = environment.plane().store();
            OpenPrompts open = new OpenPrompts(store);
            Evaluator evaluator = new Evaluator(open::row, store);
            RunListener listener = event -> {
                if (event instanceof RunEvent.Evaluated evaluated) {
                    result.set(seen.apply(evaluated, evaluator));
                }
            };
            List<Prompt> prompts = open.open(rows.first(rows.size()));
            TensorRef weights = editing.put(store);
            RunPorts ports = new RunPorts(
                    new RowPrompts(rows, 0, 1, open),
                    StopWhen.NEVER,
                    environment.plane(),
                    listener,
                    InstantSource.system());
            try (LocalActorSystem guardian =
                    new LocalActorSystem(settings, editing.policy(), judge, ports, environment)) {
                guardian.evaluate(new EvaluationRequest(
                        name,
                        LocalRun.EVALUATION_SEED,
                        LocalRun.HELD_OUT_KEY,
                        new PolicyVersion(0),
                        weights,
                        prompts,
                        settings.evaluation().imagesPerTask()));
            }
        }
        return Objects.requireNonNull(result.get());
    }
}
