package darkroom.runtime.run;

import darkroom.config.RunSettings;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.flux.FluxKontext;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.gpuworkers.pretrained.ModelFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The models that this build computes, by {@code policy.model}. */
public final class PolicyModels {
    /** The shipped DiT. */
    public static final String EMBEDDED = "embedded";

    /** FLUX.1-Kontext from a model folder. */
    public static final String FLUX_KONTEXT = "flux-kontext";

    /** All values of {@code policy.model} that this build computes. */
    public static final List<String> COMPUTED = List.of(EMBEDDED, FLUX_KONTEXT);

    private PolicyModels() {}

    /**
     * Opens the model of a run.
     *
     * @throws IOException naming what is wrong with its base or its folder
     */
    public static PolicyModel open(RunSettings settings) throws IOException {
        return switch (settings.policy().model()) {
            case EMBEDDED ->
                new EmbeddedPolicy(
                        DitWeights.base(settings.policy().base()),
                        settings.rollout(),
                        settings.evaluation(),
                        settings.training());
            case FLUX_KONTEXT ->
                new FluxKontext(settings.policy(), settings.rollout(), settings.evaluation(), settings.training());
            default ->
                throw new IOException("policy.model=%s: this build computes %s"
                        .formatted(settings.policy().model(), COMPUTED));
        };
    }

    /** Returns the SHA-256 of the weights of a run, in hexadecimal. */
    static String sha256(RunSettings settings) throws IOException {
        return settings.policy().model().equals(EMBEDDED)
                ? DitWeights.sha256(settings.policy().base())
                : ModelFolder.open(Path.of(settings.policy().weights())).sha256();
    }

    /** Returns the setting that names the weights, with its value. */
    static String weights(RunSettings settings) {
        return settings.policy().model().equals(EMBEDDED)
                ? "policy.base=" + settings.policy().base()
                : "policy.weights=" + settings.policy().weights();
    }

    /** Returns the path or name of the weights. */
    static String place(RunSettings settings) {
        return settings.policy().model().equals(EMBEDDED)
                ? settings.policy().base()
                : settings.policy().weights();
    }
}
