package darkroom.runtime.run;

import darkroom.actors.device.Fault;
import darkroom.actors.device.GroupOutcome;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.device.Prompt;
import darkroom.actors.events.EvaluationRequest;
import darkroom.actors.events.RunEvent;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.tensors.TensorRef;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Evaluations of the held-out rows before and after training, and how long each has taken. */
final class HeldOutEvaluations {
    private final PreparedRun run;
    private final SessionResources resources;
    private final List<Prompt> heldOut;
    private final Map<String, Duration> stages = new LinkedHashMap<>();

    /** @param heldOut prompts of the held-out rows; without any, no evaluation takes place */
    HeldOutEvaluations(PreparedRun run, SessionResources resources, List<Prompt> heldOut) {
        this.run = run;
        this.resources = resources;
        this.heldOut = List.copyOf(heldOut);
    }

    /** Whether there are held-out rows. */
    boolean isEmpty() {
        return heldOut.isEmpty();
    }

    /**
     * Evaluates the held-out rows and returns why the evaluation ended early, if it did: a scorer that refuses
     * everything, a listener, or a request to end.
     *
     * @param weights FLOAT32 [parameters]
     */
    Optional<String> evaluate(LocalActorSystem guardian, String name, int version, TensorRef weights)
            throws InterruptedException {
        if (isEmpty()) {
            return Optional.empty();
        }
        resources.view().stage(name, heldOut.size());
        resources.environment().stage(name, version);
        Instant began = Instant.now();
        RunEvent.Evaluated evaluated = guardian.evaluate(new EvaluationRequest(
                name,
                LocalRun.EVALUATION_SEED,
                LocalRun.HELD_OUT_KEY,
                new PolicyVersion(version),
                weights,
                heldOut,
                run.settings().evaluation().imagesPerTask()));
        stages.put(name, Duration.between(began, Instant.now()));
        return evaluated.endings().stream()
                .filter(GroupOutcome.Lost.class::isInstance)
                .map(ending -> ((GroupOutcome.Lost) ending).fault())
                .filter(Fault.StopRun.class::isInstance)
                .map(Fault::message)
                .findFirst();
    }

    /**
     * Returns the weights of the base that clean data alone gives, if they have the shape of the trained ones: measured
     * once, so that a poor start misleads nobody.
     */
    Optional<float[]> cleanReference() throws IOException {
        if (!(resources.policy() instanceof EmbeddedPolicy policy)
                || policy.lora().isLora()) {
            return Optional.empty();
        }
        DitWeights clean = DitWeights.base("clean");
        return clean.shape().equals(policy.weights().shape()) ? Optional.of(clean.flat()) : Optional.empty();
    }

    /** Returns the duration of each evaluation by its name, in order. */
    Map<String, Duration> stages() {
        return Collections.unmodifiableMap(stages);
    }
}
