package darkroom.runtime;

import darkroom.edittasks.FileFault;
import darkroom.edittasks.OutputFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a run keeps what; {@code docs/run-directory.md} describes each file. */
record RunDirectory(Path path) {
    /** The resolved settings, HOCON. */
    Path settings() {
        return path.resolve("settings.conf");
    }

    /** A {@link PrecisionChoice}. */
    Path precision() {
        return path.resolve("precision.json");
    }

    /** One {@link StepMetrics} a line. */
    Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** One {@link GroupVerdict} a line. */
    Path verdicts() {
        return path.resolve("verdicts.jsonl");
    }

    /** One {@link EvaluationResult} a line. */
    Path evaluations() {
        return path.resolve("evaluations.jsonl");
    }

    /** One {@link ContactSheet} a line. */
    Path sheets() {
        return path.resolve("sheets.jsonl");
    }

    /** One {@link Incident} a line. */
    Path incidents() {
        return path.resolve("incidents.jsonl");
    }

    /** One {@link NoiseFloor} a line. */
    Path noise() {
        return path.resolve("noise.jsonl");
    }

    /** One {@link ScorerRecord.Line} a line. */
    Path scorers() {
        return path.resolve("scorers.jsonl");
    }

    /** A file named by a {@link ContactSheet}. */
    Path picture(String file) {
        return path.resolve(file);
    }

    Path summary() {
        return path.resolve("summary.json");
    }

    Path report() {
        return path.resolve("report.html");
    }

    /**
     * Writes a file that is either whole or as it was.
     *
     * @throws UncheckedIOException naming the file
     */
    static void write(Path file, byte[] content) {
        try {
            OutputFile.write(file, content);
        } catch (IOException e) {
            throw failed("write", file, e);
        }
    }

    static void write(Path file, String content) {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** The message of a run when a file that it has written is gone. */
    static UncheckedIOException gone(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        boolean all = directory != null && !Files.isDirectory(directory);
        String message = all
                ? "the run's directory %s is gone: it was deleted or moved during the run".formatted(directory)
                : "%s is gone: it was deleted or replaced during the run".formatted(file);
        return new UncheckedIOException(message, new FileNotFoundException(file.toString()));
    }

    static UncheckedIOException failed(String what, Path file, IOException cause) {
        return new UncheckedIOException("cannot %s %s: %s".formatted(what, file, FileFault.reason(cause, file)), cause);
    }
}
