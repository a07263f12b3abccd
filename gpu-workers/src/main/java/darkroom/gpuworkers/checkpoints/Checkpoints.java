package darkroom.gpuworkers.checkpoints;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.events.PolicyRelease;
import darkroom.actors.events.RunState;
import darkroom.actors.statistics.PromptBan;
import darkroom.config.ErrorReason;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one run, each a directory {@code step-N} with {@code learner.safetensors} and {@code manifest.json}.
 *
 * <p>A checkpoint is either whole or missing (promise P-7): it is written beside its place, forced to the disk, manifest
 * last, and then renamed. The manifest holds the SHA-256 of every other file and of itself; loading checks all of them. One
 * thread at a time; all calls block on the disk, so they must not run on an actor's thread.
 */
public final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    /** File of a checkpoint with the tensors of the learner. */
    public static final String LEARNER = "learner.safetensors";

    private static final String MANIFEST = "manifest.json";
    private static final String PARTIAL = ".partial";
    private static final String REPLACED = ".replaced";
    private static final String TORN = ".torn";
    private static final int FORMAT = 2;
    private static final long MANIFEST_BYTES_MAX = 64L << 20;
    private static final Pattern NAME = Pattern.compile("step-(\\d{1,9})(?:\\.replaced)?");
    private static final String OLD = "old";
    private static final List<String> TENSORS = List.of("trained", "first-moment", "second-moment", OLD, "average");
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path directory;
    private final Runnable beforeRename;
    private final Runnable moved;
    private final Runnable renamed;

    /**
     * Opens the checkpoints of a directory.
     *
     * @param directory of the run's checkpoints; created by the first {@link #save}
     */
    public Checkpoints(Path directory) {
        this(directory, () -> {}, () -> {}, () -> {});
    }

    /**
     * Adds hooks at which the process may be killed.
     *
     * @param beforeRename called when a checkpoint is complete beside its place
     * @param renamed called when it has its name
     */
    public Checkpoints(Path directory, Runnable beforeRename, Runnable renamed) {
        this(directory, beforeRename, () -> {}, renamed);
    }

    /** @param moved called when the replaced one has left its place, and the new one is not there yet */
    Checkpoints(Path directory, Runnable beforeRename, Runnable moved, Runnable renamed) {
        this.directory = directory;
        this.beforeRename = beforeRename;
        this.moved = moved;
        this.renamed = renamed;
    }

    /**
     * A restored checkpoint.
     *
     * @param state of new tensors, owned by the caller
     * @param refused newer checkpoints that were not whole, one line each, newest first
     */
    public record Loaded(Path path, CheckpointManifest manifest, RunState state, List<String> refused) {
        public Loaded {
            refused = List.copyOf(refused);
        }
    }

    /**
     * Writes a checkpoint of {@code manifest.step()}, replacing one of the same step.
     *
     * @return its directory
     */
    public Path save(CheckpointManifest manifest, RunState state, TensorStore store) throws IOException {
        LearnerState learner = state.learner();
        if (manifest.step() != state.step() || manifest.optimizerSteps() != learner.optimizerSteps()) {
            throw new IllegalArgumentException("manifest has step=%d, optimizerSteps=%d, the state %d, %d"
                    .formatted(manifest.step(), manifest.optimizerSteps(), state.step(), learner.optimizerSteps()));
        }
        Files.createDirectories(directory);
        Path place = directory.resolve("step-%06d".formatted(manifest.step()));
        Path partial = directory.resolve(place.getFileName() + PARTIAL);
        deleteTree(partial);
        Files.createDirectory(partial);
        Path file = partial.resolve(LEARNER);
        SequencedMap<String, TensorRef> named = new LinkedHashMap<>();
        for (int i = 0; i < TENSORS.size(); i++) {
            named.put(TENSORS.get(i), learner.tensors().get(i));
        }
        List<Published> published = new ArrayList<>();
        for (PolicyRelease policyRelease : state.policyReleases()) {
            String tensor = policyRelease.weights().equals(learner.old())
                    ? OLD
                    : "version-" + policyRelease.version().value();
            named.putIfAbsent(tensor, policyRelease.weights());
            published.add(new Published(
                    policyRelease.version().value(),
                    tensor,
                    List.copyOf(policyRelease.ban().rows())));
        }
        List<Safetensors.Tensor> tensors = new ArrayList<>();
        named.forEach((name, ref) ->
                tensors.add(new Safetensors.Tensor(name, Safetensors.Dtype.F32, ref.shape(), () -> store.read(ref))));
        Safetensors.write(file, Map.of("format", "darkroom learner"), tensors);
        SortedMap<String, String> files = new TreeMap<>(Map.of(LEARNER, sha256(file)));
        writeForced(partial.resolve(MANIFEST), encode(new Sealed(manifest, state.decisionDigest(), published, files)));
        force(partial);
        beforeRename.run();
        Path replaced = directory.resolve(place.getFileName() + REPLACED);
        if (Files.exists(place)) { // a whole one always has a name that list() knows
            deleteTree(replaced);
            Files.move(place, replaced, StandardCopyOption.ATOMIC_MOVE);
            moved.run();
        }
        Files.move(partial, place, StandardCopyOption.ATOMIC_MOVE);
        renamed.run();
        force(directory);
        deleteTree(replaced);
        return place;
    }

    /** Returns the step of the newest directory that looks like a checkpoint; empty without one. */
    public OptionalInt newestStep() throws IOException {
        return list().stream()
                .mapToInt(checkpoint -> step(checkpoint).orElseThrow())
                .findFirst();
    }

    /**
     * Returns the directories that look like checkpoints, one per step, newest first. They are not verified. A {@link #save}
     * that ended between its two renames left {@code step-N.replaced} and no {@code step-N}: then that one counts.
     */
    public List<Path> list() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (step(entry).isPresent() && !isReplaced(entry)) {
                    found.add(entry);
                }
            }
        }
        found.sort(
                Comparator.<Path>comparingInt(path -> step(path).orElseThrow()).reversed());
        return List.copyOf(found);
    }

    /** Whether another one has its place. */
    private static boolean isReplaced(Path path) {
        String name = String.valueOf(path.getFileName());
        return name.endsWith(REPLACED)
                && Files.exists(path.resolveSibling(name.substring(0, name.length() - REPLACED.length())));
    }

    /**
     * Loads the newest whole checkpoint. A newer one that is torn or altered is logged as an error, named in {@link
     * Loaded#refused}, and left in place.
     *
     * @return empty if no checkpoint exists
     * @throws CheckpointException if checkpoints exist and none is whole; starting over silently would hide it
     */
    public Optional<Loaded> loadNewest(TensorStore store) throws IOException {
        List<String> refused = new ArrayList<>();
        for (Path checkpoint : list()) {
            try {
                Loaded loaded = load(checkpoint, store);
                return Optional.of(new Loaded(loaded.path(), loaded.manifest(), loaded.state(), refused));
            } catch (CheckpointException e) {
                LOG.error("{}; trying the one before", ErrorReason.of(e));
                refused.add(ErrorReason.of(e));
            }
        }
        if (!refused.isEmpty()) {
            throw new CheckpointException("no whole checkpoint in %s: %s. Move the directory away to start over."
                    .formatted(directory, String.join("; ", refused)));
        }
        return Optional.empty();
    }

    /**
     * Loads the newest whole checkpoint, for a run whose ledger records its results. One that is torn or altered is logged as
     * an error and renamed with the suffix {@code .torn}, so that it does not count as one of those that are kept. Without a
     * whole one the run begins again: the ledger has the digests of its results.
     *
     * @return empty if no checkpoint is whole
     */
    public Optional<Loaded> recover(TensorStore store) throws IOException {
        for (Path checkpoint : list()) {
            try {
                return Optional.of(load(checkpoint, store));
            } catch (CheckpointException e) {
                Path aside = directory.resolve(checkpoint.getFileName() + TORN);
                deleteTree(aside);
                Files.move(checkpoint, aside, StandardCopyOption.ATOMIC_MOVE);
                LOG.error(
                        "{}; it is now {}; {}",
                        ErrorReason.of(e),
                        aside.getFileName(),
                        list().isEmpty()
                                ? "no earlier one exists: all steps are computed again, and held against the ledger"
                                : "trying the one before");
            }
        }
        return Optional.empty();
    }

    /**
     * Verifies one checkpoint and loads its tensors into the store.
     *
     * @throws CheckpointException if it is torn, altered or missing
     */
    public static Loaded load(Path checkpoint, TensorStore store) throws IOException {
        Sealed sealed = verified(checkpoint);
        CheckpointManifest manifest = sealed.manifest();
        Map<String, TensorRef> refs = new LinkedHashMap<>();
        SequencedSet<String> names = new LinkedHashSet<>(TENSORS);
        sealed.published().forEach(policyRelease -> names.add(policyRelease.tensor()));
        boolean done = false;
        try (Safetensors file = Safetensors.open(checkpoint.resolve(LEARNER))) {
            List<Integer> shape = file.entry(TENSORS.getFirst()).shape();
            for (String name : names) {
                Safetensors.Entry entry = file.entry(name);
                if (entry.dtype() != Safetensors.Dtype.F32 || !entry.shape().equals(shape)) {
                    throw new CheckpointException(
                            checkpoint,
                            "tensor \"%s\" is %s %s, expected F32 %s"
                                    .formatted(name, entry.dtype(), entry.shape(), shape));
                }
                MemorySegment bytes = file.bytes(name);
                refs.put(name, store.put(ElementType.FLOAT32, entry.shape(), into -> into.copyFrom(bytes)));
            }
            done = true;
        } catch (SafetensorsException e) {
            throw because(checkpoint, LEARNER, ErrorReason.of(e), e);
        } finally {
            if (!done) {
                refs.values().forEach(store::release);
            }
        }
        List<TensorRef> five = TENSORS.stream().map(refs::get).toList();
        LearnerState learner = new LearnerState(
                manifest.optimizerSteps(), five.get(0), five.get(1), five.get(2), five.get(3), five.get(4));
        List<PolicyRelease> policyReleases = new ArrayList<>();
        for (Published published : sealed.published()) {
            TensorRef weights = Objects.requireNonNull(refs.get(published.tensor()));
            policyReleases.add(new PolicyRelease(
                    new PolicyVersion(published.version()), weights, PromptBan.of(published.banned())));
        }
        RunState state = new RunState(manifest.step(), learner, policyReleases, sealed.decisions());
        return new Loaded(checkpoint, manifest, state, List.of());
    }

    /**
     * Checks every file against the manifest and the manifest against itself.
     *
     * @throws CheckpointException if it is torn, altered or missing
     */
    public static CheckpointManifest verify(Path checkpoint) throws IOException {
        return verified(checkpoint).manifest();
    }

    private static Sealed verified(Path checkpoint) throws IOException {
        Path manifestFile = checkpoint.resolve(MANIFEST);
        if (!Files.isRegularFile(manifestFile)) {
            throw new CheckpointException(checkpoint, "it has no " + MANIFEST);
        }
        if (Files.size(manifestFile) > MANIFEST_BYTES_MAX) {
            throw new CheckpointException(
                    checkpoint,
                    "%s has %d bytes, limit=%d".formatted(MANIFEST, Files.size(manifestFile), MANIFEST_BYTES_MAX));
        }
        Sealed sealed = decode(checkpoint, Files.readAllBytes(manifestFile));
        for (Map.Entry<String, String> file : sealed.files().entrySet()) {
            Path path = checkpoint.resolve(file.getKey());
            if (!Files.isRegularFile(path)) {
                throw new CheckpointException(checkpoint, file.getKey(), "it has no " + file.getKey());
            }
            String found = sha256(path);
            if (!found.equals(file.getValue())) {
                throw new CheckpointException(
                        checkpoint,
                        file.getKey(),
                        "SHA-256 of %s is %s, expected %s".formatted(file.getKey(), found, file.getValue()));
            }
        }
        return sealed;
    }

    /**
     * Deletes all checkpoints except the newest ones and the best, and the remains of an interrupted {@link #save}.
     *
     * @param keepLast {@code checkpoints.keep-last}, at least 1
     * @param best step of the best checkpoint by validation
     * @return directories deleted
     */
    public List<Path> prune(int keepLast, OptionalInt best) throws IOException {
        if (keepLast < 1) {
            throw new IllegalArgumentException(
                    "checkpoints.keep-last=" + keepLast + " is less than 1: a run could not be resumed");
        }
        List<Path> deleted = new ArrayList<>();
        int kept = 0;
        for (Path checkpoint : list()) {
            if (kept < keepLast) {
                kept++;
            } else if (!step(checkpoint).equals(best)) {
                deleted.add(checkpoint);
            }
        }
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> leftovers =
                    Files.newDirectoryStream(directory, "step-*{" + PARTIAL + "," + REPLACED + "}")) {
                for (Path leftover : leftovers) {
                    if (leftover.toString().endsWith(PARTIAL) || isReplaced(leftover)) {
                        deleted.add(leftover);
                    }
                }
            }
        }
        for (Path path : deleted) {
            deleteTree(path);
        }
        return List.copyOf(deleted);
    }

    private record Sealed(
            CheckpointManifest manifest,
            String decisions,
            List<Published> published,
            SortedMap<String, String> files) {}

    /** @param tensor name in the learner's file */
    private record Published(long version, String tensor, List<String> banned) {}

    private static byte[] encode(Sealed checkpoint) {
        CheckpointManifest manifest = checkpoint.manifest();
        ObjectNode body = JSON.createObjectNode();
        body.put("format", FORMAT);
        body.put("run", manifest.run());
        body.put("step", manifest.step());
        body.put("optimizerSteps", manifest.optimizerSteps());
        body.put("seed", manifest.seed());
        body.put("settingsDigest", manifest.settingsDigest());
        body.put("decisions", checkpoint.decisions());
        ArrayNode policyReleases = body.putArray("publications");
        for (Published published : checkpoint.published()) {
            ObjectNode one = policyReleases.addObject();
            one.put("version", published.version()).put("tensor", published.tensor());
            published.banned().forEach(one.putArray("bannedRows")::add);
        }
        manifest.counts().forEach(body.putObject("counts")::put);
        ObjectNode validations = body.putObject("validations");
        manifest.validations().forEach((step, measure) -> validations.put(String.valueOf(step), measure));
        checkpoint.files().forEach(body.putObject("files")::put);
        ObjectNode sealed = JSON.createObjectNode();
        sealed.set("checkpoint", body);
        sealed.put("sha256", seal(body));
        return (sealed.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static Sealed decode(Path checkpoint, byte[] bytes) throws CheckpointException {
        try {
            JsonNode sealed = JSON.readTree(bytes);
            JsonNode body = sealed.path("checkpoint");
            if (!body.isObject()
                    || sealed.size() != 2
                    || !seal(body).equals(sealed.path("sha256").asText())) {
                throw new CheckpointException(checkpoint, MANIFEST + " does not match its own SHA-256");
            }
            if (body.path("format").asInt() != FORMAT) {
                throw new CheckpointException(
                        checkpoint, "format=%s, this version reads %d".formatted(body.path("format"), FORMAT));
            }
            List<Published> published = new ArrayList<>();
            for (JsonNode one : body.required("publications")) {
                List<String> banned = new ArrayList<>();
                one.required("bannedRows").forEach(row -> banned.add(row.asText()));
                published.add(new Published(
                        one.required("version").longValue(),
                        one.required("tensor").asText(),
                        banned));
            }
            SortedMap<String, Long> counts = new TreeMap<>();
            body.required("counts")
                    .properties()
                    .forEach(
                            count -> counts.put(count.getKey(), count.getValue().longValue()));
            SortedMap<String, String> files = new TreeMap<>();
            body.required("files")
                    .properties()
                    .forEach(file -> files.put(file.getKey(), file.getValue().asText()));
            SortedMap<Integer, Double> validations = new TreeMap<>();
            body.required("validations")
                    .properties()
                    .forEach(measure -> validations.put(
                            Integer.valueOf(measure.getKey()),
                            measure.getValue().doubleValue()));
            return new Sealed(
                    new CheckpointManifest(
                            body.required("run").asText(),
                            body.required("step").intValue(),
                            body.required("optimizerSteps").longValue(),
                            body.required("seed").longValue(),
                            body.required("settingsDigest").asText(),
                            counts,
                            validations),
                    body.required("decisions").asText(),
                    published,
                    files);
        } catch (CheckpointException e) {
            throw e;
        } catch (JsonProcessingException e) {
            throw because(checkpoint, null, MANIFEST + " is damaged: " + e.getOriginalMessage(), e);
        } catch (IOException | IllegalArgumentException e) {
            throw because(checkpoint, null, MANIFEST + " is damaged: " + ErrorReason.of(e), e);
        }
    }

    private static String seal(JsonNode body) {
        return TensorDigests.of(MemorySegment.ofArray(body.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static String sha256(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            return TensorDigests.of(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        }
    }

    /** Returns the SHA-256 of a checkpoint's manifest, which has those of its files; in hexadecimal. */
    public static String digest(Path checkpoint) throws IOException {
        return sha256(checkpoint.resolve(MANIFEST));
    }

    /** Returns the steps committed in a checkpoint, by the name of its directory; empty for other directories. */
    public static OptionalInt step(Path path) {
        Matcher name = NAME.matcher(String.valueOf(path.getFileName()));
        return name.matches() ? OptionalInt.of(Integer.parseInt(name.group(1))) : OptionalInt.empty();
    }

    private static void writeForced(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(root)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }

    private static CheckpointException because(
            Path checkpoint, @Nullable String file, String problem, Exception cause) {
        CheckpointException exception = new CheckpointException(checkpoint, file, problem);
        exception.initCause(cause);
        return exception;
    }
}
