package darkroom.runtime.base;

import darkroom.edittasks.datasets.OutputFile;
import darkroom.edittasks.pictures.FileFault;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The files of a run directory; {@code docs/run-directory.md} describes each of them. */
public record RunDirectory(Path path) {
    /** The resolved settings, HOCON. */
    public Path settings() {
        return path.resolve("settings.conf");
    }

    /** A {@link PrecisionChoice}. */
    Path precision() {
        return path.resolve("precision.json");
    }

    /** One {@link StepMetrics} per line. */
    public Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** One {@link GroupDecision} per line. */
    public Path decisions() {
        return path.resolve("decisions.jsonl");
    }

    /** One {@link EvaluationResult} per line. */
    public Path evaluations() {
        return path.resolve("evaluations.jsonl");
    }

    /** One {@link ContactSheet} per line. */
    public Path sheets() {
        return path.resolve("sheets.jsonl");
    }

    /** One {@link Incident} per line. */
    public Path incidents() {
        return path.resolve("incidents.jsonl");
    }

    /** One {@link NoiseFloor} per line. */
    public Path noise() {
        return path.resolve("noise.jsonl");
    }

    /** One {@link ScorerRecord.Line} per line. */
    public Path scorers() {
        return path.resolve("scorers.jsonl");
    }

    /** Returns a file named by a {@link ContactSheet}. */
    public Path picture(String file) {
        return path.resolve(file);
    }

    public Path summary() {
        return path.resolve("summary.json");
    }

    public Path report() {
        return path.resolve("report.html");
    }

    /**
     * Writes a file atomically: it is either complete or unchanged.
     *
     * @throws UncheckedIOException naming the file
     */
    public static void write(Path file, byte[] content) {
        try {
            OutputFile.write(file, content);
        } catch (IOException e) {
            throw missing(file).isPresent() ? gone(file) : failed("write", file, e);
        }
    }

    public static void write(Path file, String content) {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the exception for a run whose written file or directory is gone. */
    static UncheckedIOException gone(Path file) {
        String message = missing(file)
                .map("the run's directory %s is gone: it was deleted or moved during the run"::formatted)
                .orElseGet(() -> "%s is gone: it was deleted or replaced during the run".formatted(file));
        return new UncheckedIOException(message, new FileNotFoundException(file.toString()));
    }

    /** Returns the outermost missing directory above a file; empty if the file's directory exists. */
    private static Optional<Path> missing(Path file) {
        Path outermost = null;
        for (Path above = file.toAbsolutePath().getParent();
                above != null && !Files.exists(above);
                above = above.getParent()) {
            outermost = above;
        }
        return Optional.ofNullable(outermost);
    }

    /** Returns the exception for a failed read or write of a file of a run, with the file's name and the reason. */
    public static UncheckedIOException failed(String what, Path file, IOException cause) {
        return new UncheckedIOException("cannot %s %s: %s".formatted(what, file, FileFault.reason(cause, file)), cause);
    }
}
