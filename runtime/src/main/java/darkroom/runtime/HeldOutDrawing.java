package darkroom.runtime;

import darkroom.actors.EvaluationRequest;
import darkroom.actors.PolicyVersion;
import darkroom.actors.Prompt;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunPorts;
import darkroom.actors.StopWhen;
import darkroom.actors.TensorRef;
import darkroom.actors.TensorStore;
import darkroom.config.RunSettings;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/** Draws and scores rows with a policy, in this process, without a run: what {@code eval} measures. */
final class HeldOutDrawing {
    private HeldOutDrawing() {}

    /**
     * @param name of the evaluation
     * @param seen makes what is returned, while the images are there
     */
    static <T> T of(
            EditingPolicy editing, Rows rows, String name, Scorers judge, BiFunction<RunEvent.Evaluated, Meter, T> seen)
            throws Exception {
        RunSettings settings = editing.settings();
        AtomicReference<T> result = new AtomicReference<>();
        try (Ground ground = Ground.Alone.with(settings)) {
            TensorStore store = ground.plane().store();
            OpenPrompts open = new OpenPrompts(store);
            Meter meter = new Meter(open::row, store);
            RunListener listener = event -> {
                if (event instanceof RunEvent.Evaluated evaluated) {
                    result.set(seen.apply(evaluated, meter));
                }
            };
            List<Prompt> prompts = open.open(rows.first(rows.size()));
            TensorRef weights = editing.put(store);
            RunPorts ports = new RunPorts(
                    new RowPrompts(rows, 0, 1, open), StopWhen.NEVER, ground.plane(), listener, InstantSource.system());
            try (LocalStudio studio = new LocalStudio(settings, editing.policy(), judge, ports, ground)) {
                studio.evaluate(new EvaluationRequest(
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
