package darkroom.rewardactors.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.config.ErrorReason;
import darkroom.tensors.Token;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores scores by the content of their question, one small file each, in a directory that processes may share. A truncated
 * or modified file is ignored. A score that cannot be read or written is requested, and the failure is logged once.
 */
final class ScoreCache {
    /** Suffix of this process: several processes, whose pids may be equal, may share one cache. */
    private static final String PROCESS = Token.suffix();

    private static final Logger LOG = LoggerFactory.getLogger(ScoreCache.class);
    private static final JsonMapper JSON = new JsonMapper();
    private static final String SUFFIX = ".json";
    private static final int FOLDER_CHARACTERS = 2;

    private final Path directory;
    private final int filesMax;
    private final AtomicInteger files;
    private final AtomicInteger writes = new AtomicInteger();
    private final AtomicBoolean told = new AtomicBoolean();

    private ScoreCache(Path directory, int filesMax, int files) {
        this.directory = directory;
        this.filesMax = filesMax;
        this.files = new AtomicInteger(files);
    }

    /**
     * @param filesMax scores beyond this number are not stored
     * @throws IOException if the directory does not exist and cannot be created
     */
    static ScoreCache in(Path directory, int filesMax) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> there = Files.walk(directory, FOLDER_CHARACTERS)) {
            int files =
                    (int) there.filter(path -> path.toString().endsWith(SUFFIX)).count();
            return new ScoreCache(directory, filesMax, files);
        }
    }

    Optional<Scored> get(String key) {
        try {
            String[] lines = Files.readString(file(key)).split("\n");
            if (lines.length != 2 || !lines[1].equals(checksum(lines[0]))) {
                return Optional.empty();
            }
            JsonNode json = JSON.readTree(lines[0]);
            return Optional.of(new Scored(
                    json.path("score").doubleValue(),
                    json.path("labelMass").doubleValue(),
                    0,
                    json.path("scorer").asText()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            tell("read", e);
            return Optional.empty();
        }
    }

    void put(String key, Scored scored) {
        Path file = file(key);
        if (Files.exists(file)) {
            return;
        }
        if (files.incrementAndGet() > filesMax) {
            files.decrementAndGet();
            if (told.compareAndSet(false, true)) {
                LOG.warn("{} holds {} scores, scoring.cache-max: no more are kept", directory, filesMax);
            }
            return;
        }
        String json = JSON.createObjectNode()
                .put("score", scored.score())
                .put("labelMass", scored.labelMass())
                .put("scorer", scored.scorer())
                .toString();
        try {
            Files.createDirectories(directory.resolve(key.substring(0, FOLDER_CHARACTERS)));
            Path partial = file.resolveSibling(
                    "%s.%s-%d.partial".formatted(key.substring(FOLDER_CHARACTERS), PROCESS, writes.incrementAndGet()));
            Files.writeString(partial, json + "\n" + checksum(json) + "\n");
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            files.decrementAndGet();
            tell("written", e);
        }
    }

    private Path file(String key) {
        return directory
                .resolve(key.substring(0, FOLDER_CHARACTERS))
                .resolve(key.substring(FOLDER_CHARACTERS) + SUFFIX);
    }

    private static String checksum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }

    private void tell(String what, IOException why) {
        if (told.compareAndSet(false, true)) {
            LOG.warn("a score in {} cannot be {}: {}; scorers are asked", directory, what, ErrorReason.of(why));
        }
    }
}
