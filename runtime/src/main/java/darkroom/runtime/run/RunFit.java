package darkroom.runtime.run;

import darkroom.config.ClusterSettings;
import darkroom.config.ErrorReason;
import darkroom.config.RunSettings;
import darkroom.config.SettingsException;
import darkroom.config.WorkerSettings;
import darkroom.edittasks.tasks.InstructionVocabulary;
import darkroom.edittasks.tasks.TaskType;
import darkroom.gpuworkers.DitShape;
import darkroom.gpuworkers.DitWeights;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.JudgeNetwork;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.rewardactors.client.Rewards;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.Rows;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Checks that settings, data and base fit one another before a run writes anything. */
public final class RunFit {
    /** Side of the pixels of one token of FLUX: 8 of the autoencoder, 2 of the packing. */
    private static final int PIXELS_PER_TOKEN = 16;

    private RunFit() {}

    /**
     * Refuses models that are not installed: recipes of other models are valid, but this build has only the embedded
     * one. Virtual devices compute nothing.
     */
    public static void requireModel(RunSettings settings) {
        if (settings.workers().device() == WorkerSettings.Kind.VIRTUAL) {
            throw new CommandFailedException(
                    "workers.device=virtual computes nothing and is for 'darkroom bench' and 'darkroom chaos'; here it"
                            + " is workers.device=torch",
                    ExitCode.USAGE);
        }
        if (!PolicyModels.COMPUTED.contains(settings.policy().model())) {
            throw new CommandFailedException(
                    "recipe %s needs policy.model=%s, which is not installed: this build computes %s.%s 'darkroom config show --recipe %s' shows the settings."
                            .formatted(
                                    settings.recipe(),
                                    settings.policy().model(),
                                    String.join(", ", PolicyModels.COMPUTED),
                                    settings.scoring().endpoints().isEmpty()
                                            ? " It also needs scorers, scoring.endpoints=[] names none: the embedded"
                                                    + " judge does not know its images."
                                            : "",
                                    settings.recipe()),
                    ExitCode.USAGE);
        }
    }

    /**
     * Checks settings by themselves.
     *
     * @throws CommandFailedException with {@link ExitCode#USAGE}, naming all of {@link #faults(RunSettings)}
     */
    static void require(RunSettings settings) {
        refuse(faults(settings));
    }

    /**
     * Returns what the settings name and this machine or build does not have: task types, judges, files, directories;
     * and questions that no scorer can be asked. One line each. Writes nothing.
     */
    public static List<String> faults(RunSettings settings) {
        List<String> faults = new ArrayList<>();
        for (String task : settings.data().tasks()) {
            try {
                var _ = TaskType.of(task);
            } catch (IllegalArgumentException e) {
                faults.add("data.tasks: " + ErrorReason.of(e));
            }
        }
        if (!JudgeNetwork.SHIPPED.contains(settings.scoring().judge())) {
            faults.add("scoring.judge=%s: allowed are %s"
                    .formatted(settings.scoring().judge(), JudgeNetwork.SHIPPED));
        }
        String base = settings.policy().base();
        if (settings.policy().model().equals("embedded")
                && !DitWeights.SHIPPED.contains(base)
                && !is(base, file -> Files.isRegularFile(file))) {
            faults.add("policy.base=%s: neither one of %s nor a file".formatted(base, DitWeights.SHIPPED));
        }
        if (settings.policy().model().equals(PolicyModels.FLUX_KONTEXT)) {
            flux(settings, faults);
        }
        String source = settings.data().source();
        if (settings.policy().model().equals("embedded")
                && !source.equals(DataSplits.EMBEDDED)
                && !is(source, directory -> Files.isDirectory(directory))) {
            faults.add(
                    "data.source=%s: no directory that can be read; give a directory in the Edit-R1 layout, or embedded"
                            .formatted(source));
        }
        try {
            settings.requireScorer();
        } catch (SettingsException e) {
            faults.addAll(e.faults());
        }
        ClusterSettings.TlsSettings tls = settings.cluster().tls();
        if (tls.enabled()) {
            file("cluster.tls.certificate", tls.certificate(), faults);
            file("cluster.tls.key", tls.key(), faults);
            file("cluster.tls.authority", tls.authority(), faults);
        }
        try {
            var _ = CheckpointWriter.copiesOf(settings);
        } catch (CommandFailedException e) {
            faults.add(ErrorReason.of(e));
        }
        faults.addAll(Rewards.faults(settings.scoring()));
        return faults;
    }

    private static void flux(RunSettings settings, List<String> faults) {
        String weights = settings.policy().weights();
        if (!is(weights, directory -> Files.isDirectory(directory)) || weights.isEmpty()) {
            faults.add(
                    "policy.weights=%s: no directory that can be read; set it to the folder of FLUX.1-Kontext-dev, in the layout of diffusers"
                            .formatted(weights));
        }
        if (!is(settings.data().source(), directory -> Files.isDirectory(directory))) {
            faults.add(
                    "data.source=%s: no directory that can be read; policy.model=flux-kontext needs a directory in the Edit-R1 layout"
                            .formatted(settings.data().source()));
        }
        if (settings.policy().resolution() % PIXELS_PER_TOKEN != 0) {
            faults.add("policy.resolution=%d: a multiple of %d with policy.model=flux-kontext"
                    .formatted(settings.policy().resolution(), PIXELS_PER_TOKEN));
        }
        if (settings.training().lora() == 0) {
            faults.add("training.lora=0: policy.model=flux-kontext is trained by adapters; set their rank, at least 1"
                    + " (the recipe has 32)");
        }
    }

    private static void file(String key, String value, List<String> faults) {
        if (!is(value, Files::isReadable)) {
            faults.add("%s=%s: no file that can be read".formatted(key, value));
        }
    }

    private static boolean is(String path, Predicate<Path> what) {
        try {
            return what.test(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static void refuse(List<String> faults) {
        if (!faults.isEmpty()) {
            throw new CommandFailedException(String.join(System.lineSeparator(), faults), ExitCode.USAGE);
        }
    }

    /**
     * Checks that settings, data and base fit one another.
     *
     * @throws CommandFailedException with {@link ExitCode#USAGE}, naming all that does not fit
     */
    static void require(RunSettings settings, DataSplits data, PolicyModel model) {
        refuse(faults(settings, data, model));
    }

    /** Returns what has no effect with these data, one line each; nothing that would change the result. */
    static List<String> remarks(RunSettings settings, DataSplits data) {
        List<String> remarks = new ArrayList<>();
        for (Rows rows : List.of(data.train(), data.validation(), data.heldOut())) {
            remarks.addAll(rows.remarks());
        }
        if (settings.evaluation().patience() > 0 && data.validation().size() == 0) {
            remarks.add(
                    "evaluation.patience=%d has no effect: data.source=%s has no validation_metadata.jsonl with rows"
                            .formatted(
                                    settings.evaluation().patience(),
                                    settings.data().source()));
        }
        return remarks;
    }

    static List<String> faults(RunSettings settings, DataSplits data, PolicyModel model) {
        List<String> faults = new ArrayList<>();
        int groups = settings.rollout().groupsPerStep();
        int rows = data.train().size();
        if (rows < groups) {
            faults.add(
                    "rollout.groups-per-step=%d, but data.source=%s has %d training rows, and a step takes each row once: set rollout.groups-per-step=%d or lower, or add rows"
                            .formatted(groups, settings.data().source(), rows, rows));
        } else if (settings.groups().banPrompts() && rows == groups) {
            faults.add(
                    "groups.ban-prompts=true, but data.source=%s has no more than the %d training rows that one step takes (rollout.groups-per-step=%d), so that the first ban ends the run: lower it, add rows, or set groups.ban-prompts=false"
                            .formatted(settings.data().source(), rows, groups));
        }
        if (model instanceof EmbeddedPolicy embedded) {
            base(settings, embedded.weights().shape(), faults);
        }
        return faults;
    }

    private static void base(RunSettings settings, DitShape base, List<String> faults) {
        int side = settings.policy().resolution();
        if (base.resolution() != side) {
            faults.add("policy.resolution=%d, but policy.base=%s generates %d pixels: set policy.resolution=%d"
                    .formatted(side, settings.policy().base(), base.resolution(), base.resolution()));
        }
        InstructionVocabulary vocabulary = InstructionVocabulary.embedded();
        if (base.tokens() != InstructionVocabulary.LENGTH || base.vocabulary() != vocabulary.size()) {
            faults.add(
                    "policy.base=%s reads %d tokens out of %d, but this build writes %d out of %d: make a base with this build"
                            .formatted(
                                    settings.policy().base(),
                                    base.tokens(),
                                    base.vocabulary(),
                                    InstructionVocabulary.LENGTH,
                                    vocabulary.size()));
        }
    }
}
