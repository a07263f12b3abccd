package darkroom.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.Precision;
import darkroom.config.ScoringSettings;
import darkroom.edittasks.RgbImage;
import darkroom.gpuworkers.JudgeExamples;
import darkroom.gpuworkers.PretrainJudge.Agreement;
import darkroom.gpuworkers.PretrainJudge.Progress;
import darkroom.rewardactors.ScoringMethod;
import darkroom.rewardactors.VllmScripts;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a judge of Qwen2.5-VL's kind: writes {@link JudgeExamples} as files, and has {@code train_judge.py} train on them in the private
 * environment of vLLM. What the files hold, and what the script says, stands at its head.
 *
 * <p>In its directory: {@code qwen2.5-vl}, the model; {@code vllm}, the scripts; and while it trains {@code examples}.
 */
final class QwenJudge implements AutoCloseable {
    private static final Duration INSTALLED_WITHIN = Duration.ofHours(2);
    private static final Duration SILENT_MAX = Duration.ofMinutes(30);
    private static final Duration ENDED_WITHIN = Duration.ofMinutes(2);
    private static final int EXAMPLES_MIN = 64;
    private static final long MODEL_BYTES = 64L << 20;
    private static final int LINE_BYTES = 4096;
    private static final Logger LOG = LoggerFactory.getLogger(QwenJudge.class);
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    /** What a scorer is asked by default: the judge is trained on the system message and the words that it will be asked in. */
    private static final ScoringMethod QUESTION = ScoringMethod.of(ScoringSettings.Method.SCORE_LOGIT);

    private final Settings settings;
    private final Path model;
    private final Path scripts;
    private final Path examples;
    private final Thread interrupted = new Thread(this::stop, "qwen-judge-interrupted");
    private volatile Optional<Process> running = Optional.empty();

    /**
     * @param examples edits to train on, rounded up to whole rows
     * @param bases whose samples are judged, paths or those that ship
     * @param poolImages samples drawn from the bases
     * @param learningRate peak; linear warm-up, then a cosine
     * @param minutes that the training may take, also where not all examples were seen by then
     * @param agreementBase whose held-out samples the agreement is measured on
     * @param agreementRows held-out rows that they are of
     * @param precision of the linear layers of what draws the examples and of the training; decided
     */
    record Settings(
            long examples,
            List<String> bases,
            int poolImages,
            double learningRate,
            double minutes,
            String agreementBase,
            int agreementRows,
            Precision precision,
            long seed) {
        Settings {
            bases = List.copyOf(bases);
            if (examples < EXAMPLES_MIN
                    || !(learningRate > 0)
                    || !(minutes > 0)
                    || poolImages < JudgeExamples.poolMin(bases)) {
                throw new IllegalArgumentException(
                        "examples=%d must be at least %d, learningRate=%s and minutes=%s above 0, poolImages=%d at least %d for %d bases"
                                .formatted(
                                        examples,
                                        EXAMPLES_MIN,
                                        learningRate,
                                        minutes,
                                        poolImages,
                                        JudgeExamples.poolMin(bases),
                                        bases.size()));
            }
        }

        long rows() {
            return Math.ceilDiv(examples, JudgeExamples.CANDIDATES);
        }
    }

    /** Hears how it goes. */
    interface Listener {
        /** @param step what is begun, for a person */
        void begins(String step);

        void progress(Progress progress);
    }

    /**
     * @param directory of model, scripts and examples; made where it is not there
     * @throws CommandFailedException if a model is there already
     */
    QwenJudge(Settings settings, Path directory) throws IOException {
        this.settings = settings;
        this.model = directory.resolve("qwen2.5-vl").toAbsolutePath();
        this.scripts = directory.resolve("vllm").toAbsolutePath();
        this.examples = directory.resolve("examples").toAbsolutePath();
        for (Path fresh : List.of(model, examples)) {
            if (Files.exists(fresh)) {
                throw new CommandFailedException(
                        "%s is there already. Name another directory with --out, or remove it".formatted(fresh));
            }
        }
        Files.createDirectories(directory);
        Runtime.getRuntime().addShutdownHook(interrupted);
    }

    /** Directory of the model. */
    Path model() {
        return model;
    }

    /** What a user may type to serve it. */
    String serving(String python) {
        return "%s %s %s 8000".formatted(scripts.resolve(VllmScripts.SERVE), python, model);
    }

    /** Installs the environment where it is not there, and says where its python is. */
    String python(Listener listener) throws IOException, InterruptedException {
        VllmScripts.extract(scripts);
        listener.begins("looking for vLLM, which is installed where it is not there");
        BlockingQueue<String> lines =
                start(List.of(scripts.resolve(VllmScripts.INSTALL).toString()));
        String said = lines.poll(INSTALLED_WITHIN.toSeconds(), TimeUnit.SECONDS);
        if (said == null || said.isEmpty()) {
            throw failed("vLLM could not be installed", said != null);
        }
        end();
        return said;
    }

    /** Writes the examples, trains, and measures. */
    Agreement train(String python, Listener listener) throws IOException, InterruptedException {
        requireSpace();
        listener.begins("drawing %d edits of %s, and %d examples"
                .formatted(
                        settings.poolImages(),
                        String.join(", ", settings.bases()),
                        settings.rows() * JudgeExamples.CANDIDATES));
        List<JudgeExamples.Row> heldOut =
                write(JudgeExamples.of(settings.bases(), settings.poolImages(), settings.seed(), settings.precision()));
        listener.begins("training " + model);
        BlockingQueue<String> lines = start(List.of(
                python,
                scripts.resolve(VllmScripts.TRAIN).toString(),
                examples.toString(),
                model.toString(),
                "--learning-rate",
                Double.toString(settings.learningRate()),
                "--minutes",
                Double.toString(settings.minutes()),
                "--precision",
                settings.precision().isBf16() ? "bf16" : "f32",
                "--seed",
                Long.toString(settings.seed())));
        while (true) {
            String line = lines.poll(SILENT_MAX.toSeconds(), TimeUnit.SECONDS);
            if (line == null || line.isEmpty()) {
                throw failed("the training of " + model + " failed", line != null);
            }
            JsonNode said = parsed(line);
            if (said.has("scores")) {
                end();
                return Agreement.of(heldOut, scores(said.path("scores"), heldOut));
            }
            listener.progress(new Progress(
                    said.path("examples").longValue(),
                    settings.rows() * JudgeExamples.CANDIDATES,
                    said.path("likelihood").doubleValue(),
                    said.path("ranking").doubleValue(),
                    null));
        }
    }

    private static JsonNode parsed(String line) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new CommandFailedException(VllmScripts.TRAIN + " said what is no JSON: " + line, e);
        }
    }

    private static List<List<Double>> scores(JsonNode told, List<JudgeExamples.Row> rows) {
        List<List<Double>> scores = new ArrayList<>();
        for (JsonNode group : told) {
            List<Double> edits = new ArrayList<>();
            group.forEach(score -> edits.add(score.isNumber() ? score.doubleValue() : Double.NaN));
            scores.add(edits);
        }
        List<Integer> expected = rows.stream().map(row -> row.edits().size()).toList();
        if (!scores.stream().map(List::size).toList().equals(expected)
                || scores.stream().flatMap(List::stream).anyMatch(score -> !(score >= 0 && score <= 1))) {
            throw new CommandFailedException(VllmScripts.TRAIN
                    + " did not score every held-out edit from 0 to 1: the training diverged;" + " try a lower --lr");
        }
        return scores;
    }

    private void requireSpace() throws IOException {
        int side = JudgeExamples.SIDE;
        long pictures = settings.rows() * (JudgeExamples.CANDIDATES + 3)
                + settings.agreementRows() * (JudgeExamples.HELD_OUT_SLOTS + 3L);
        long needed = pictures * 3 * side * side + settings.rows() * LINE_BYTES + MODEL_BYTES;
        long usable = Files.getFileStore(examples.getParent()).getUsableSpace();
        if (usable < needed) {
            throw new CommandFailedException(
                    "%s has %d MiB left, and %d examples need %d MiB. Make room, name another directory with --out, or take fewer --examples"
                            .formatted(
                                    examples.getParent(),
                                    usable >> 20,
                                    settings.rows() * JudgeExamples.CANDIDATES,
                                    needed >> 20));
        }
    }

    /** Training rows, then held-out rows, which it returns. */
    private List<JudgeExamples.Row> write(JudgeExamples drawn) throws IOException {
        Files.createDirectory(examples);
        try (Pictures pictures = new Pictures(examples.resolve("pictures.rgb"))) {
            try (BufferedWriter lines = Files.newBufferedWriter(examples.resolve("train.jsonl"))) {
                for (long row = 0; row < settings.rows(); row++) {
                    lines.write(line(drawn.next(), pictures));
                }
            }
            List<JudgeExamples.Row> heldOut = drawn.heldOut(settings.agreementBase(), settings.agreementRows());
            try (BufferedWriter lines = Files.newBufferedWriter(examples.resolve("held-out.jsonl"))) {
                for (JudgeExamples.Row row : heldOut) {
                    lines.write(line(row, pictures));
                }
            }
            return heldOut;
        }
    }

    private static String line(JudgeExamples.Row row, Pictures pictures) throws IOException {
        RgbImage reference = row.task().reference();
        ObjectNode line = JSON.createObjectNode();
        line.put("side", JudgeExamples.SIDE);
        line.put("system", QUESTION.system());
        line.put(
                "question",
                QUESTION.words(
                        row.task().instruction(),
                        row.task().requirement(),
                        row.task().type().label(),
                        reference != null));
        line.put("source", pictures.add(row.task().source()));
        line.put("reference", reference == null ? null : pictures.add(reference));
        line.put("target", pictures.add(row.task().target()));
        ArrayNode edited = line.putArray("edited");
        ArrayNode truth = line.putArray("truth");
        for (JudgeExamples.Edit edit : row.edits()) {
            edited.add(pictures.add(edit.image()));
            truth.add(edit.truth());
        }
        return line + "\n";
    }

    /** Pictures one after the other in a file. */
    private static final class Pictures implements AutoCloseable {
        private final OutputStream out;
        private int count;

        Pictures(Path file) throws IOException {
            out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        }

        /** Its place. */
        Integer add(RgbImage picture) throws IOException {
            out.write(picture.rgb());
            return count++;
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    /** The lines of its standard output, an empty one at its end; what it says otherwise goes to the terminal. */
    private BlockingQueue<String> start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        running = Optional.of(process);
        process.getOutputStream().close();
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        Thread.ofVirtual().name("qwen-judge-lines").start(() -> {
            try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
                reader.lines().filter(line -> !line.isEmpty()).forEach(lines::add);
            } catch (IOException | UncheckedIOException e) {
                LOG.debug("its output broke off", e);
            } finally {
                lines.add("");
            }
        });
        return lines;
    }

    private void end() throws InterruptedException {
        Process process = running.orElseThrow();
        if (!process.waitFor(ENDED_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
            throw failed(process.info().command().orElse("a script") + " does not end", false);
        }
        if (process.exitValue() != 0) {
            throw failed(process.info().command().orElse("a script") + " failed", true);
        }
    }

    private CommandFailedException failed(String what, boolean ended) throws InterruptedException {
        Process process = running.orElseThrow();
        if (!ended || !process.waitFor(ENDED_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            return new CommandFailedException(what + ": it said nothing more in time, and was ended");
        }
        return new CommandFailedException(
                String.format(Locale.ROOT, "%s: exit code %d; what it said stands above", what, process.exitValue()));
    }

    private void stop() {
        running.ifPresent(process -> {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        });
        try {
            removeExamples();
        } catch (IOException e) {
            LOG.warn("{} could not be removed", examples, e);
        }
    }

    private void removeExamples() throws IOException {
        if (Files.isDirectory(examples)) {
            try (Stream<Path> files = Files.list(examples)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(examples);
        }
    }

    /** Ends what runs, and removes the examples. */
    @Override
    public void close() throws IOException {
        running.filter(Process::isAlive).ifPresent(Process::destroy);
        removeExamples();
        try {
            Runtime.getRuntime().removeShutdownHook(interrupted);
        } catch (IllegalStateException ending) {
            LOG.debug("the process is ending", ending);
        }
    }
}
