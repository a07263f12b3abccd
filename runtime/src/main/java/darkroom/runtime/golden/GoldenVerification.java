package darkroom.runtime.golden;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import darkroom.edittasks.pictures.FileFault;
import darkroom.runtime.golden.GoldenComparison.Arithmetic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Runs a directory of test vectors through production code. Each file is a JSON array of cases; the fields of its
 * cases, not its name, determine its format. Anything not understood is a failure: another kind of file, extra or
 * missing fields, an array without cases.
 */
public final class GoldenVerification implements AutoCloseable {
    /**
     * Result of one file.
     *
     * @param worst largest relative error of each arithmetic that was compared
     * @param failures one entry per failed case, or one for the file; each has one or more lines
     */
    public record FileResult(
            String file, int passed, int failed, Map<Arithmetic, Double> worst, List<String> failures) {
        public FileResult {
            worst = Map.copyOf(worst);
            failures = List.copyOf(failures);
        }
    }

    private static final int DIFFERENCES_SHOWN = 8;

    private final JsonMapper mapper = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private final List<GoldenFormat> formats = List.of(
            new SolverGolden(),
            new RewardScoreGolden(),
            new GroupStatisticsGolden(),
            new NftLossGolden(),
            new FlowGrpoGolden(),
            new OptimizerGolden());

    /** Returns the files of a directory, by name. */
    public static List<Path> files(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "%s cannot be listed: %s".formatted(directory, FileFault.reason(e, directory)), e);
        }
    }

    /** Runs every case of one file. */
    public FileResult verify(Path file) {
        String name = String.valueOf(file.getFileName());
        JsonNode cases;
        try {
            cases = mapper.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            return unreadable(name, "is no JSON: " + ErrorReason.of(e));
        } catch (IOException e) {
            return unreadable(name, "cannot be read: " + ErrorReason.of(e));
        }
        if (!cases.isArray() || cases.isEmpty()) {
            return unreadable(name, "is no array of cases");
        }
        int passed = 0;
        Map<Arithmetic, Double> worst = new EnumMap<>(Arithmetic.class);
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            GoldenComparison comparison = compare("[" + i + "]", cases.get(i));
            comparison.worst().forEach((arithmetic, error) -> worst.merge(arithmetic, error, Math::max));
            if (comparison.passed()) {
                passed++;
            } else {
                failures.add(shown(name, comparison.differences()));
            }
        }
        return new FileResult(name, passed, failures.size(), worst, failures);
    }

    private GoldenComparison compare(String where, JsonNode json) {
        GoldenComparison comparison = new GoldenComparison();
        try {
            GoldenCase golden = new GoldenCase(where, json);
            List<GoldenFormat> matching =
                    formats.stream().filter(format -> golden.has(format.mark())).toList();
            if (matching.size() != 1) {
                comparison.failure(where + " is of no known format: exactly one of "
                        + formats.stream().map(GoldenFormat::mark).toList() + " marks one");
                return comparison;
            }
            matching.getFirst().compare(golden, comparison);
            if (comparison.passed()) {
                golden.requireAllRead();
            }
        } catch (GoldenCase.FormatException e) {
            comparison.failure(ErrorReason.of(e));
        } catch (IllegalArgumentException e) {
            comparison.failure(where + ": refused: " + ErrorReason.of(e));
        }
        return comparison;
    }

    private static String shown(String file, List<String> differences) {
        List<String> lines = new ArrayList<>();
        differences.stream().limit(DIFFERENCES_SHOWN).forEach(difference -> lines.add(file + difference));
        if (differences.size() > DIFFERENCES_SHOWN) {
            lines.add(
                    "%s: %d further differences of this case".formatted(file, differences.size() - DIFFERENCES_SHOWN));
        }
        return String.join(System.lineSeparator(), lines);
    }

    private static FileResult unreadable(String file, String why) {
        return new FileResult(file, 0, 1, Map.of(), List.of(file + " " + why));
    }

    @Override
    public void close() {
        formats.forEach(GoldenFormat::close);
    }
}
