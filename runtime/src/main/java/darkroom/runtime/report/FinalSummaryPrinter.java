package darkroom.runtime.report;

import darkroom.runtime.base.RunDirectory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Prints the last lines of a run: the gain, the path of the report, and the command that resumes the run. */
public final class FinalSummaryPrinter {
    private FinalSummaryPrinter() {}

    /**
     * Prints the summary.
     *
     * @param kept whether a checkpoint of the final state exists
     */
    public static void print(Summary summary, Path run, boolean kept, PrintWriter out) {
        out.println();
        out.println(ending(summary, kept ? "a checkpoint is written" : "no checkpoint of it could be written"));
        figure(out, "ground truth", "%.3f", summary.groundTruth(), reference(summary));
        figure(out, "judge", "%.3f", summary.reward(), OptionalDouble.empty());
        figure(out, "PSNR outside", "%.1f dB", summary.psnrOutside(), OptionalDouble.empty());
        Summary.Counts counts = summary.counts();
        out.printf(
                "  groups        %d kept, %d dropped, %d abandoned; %d of %d images unscored%n",
                counts.kept(),
                counts.dropped(),
                counts.abandoned(),
                counts.unscored(),
                counts.images().issued());
        out.printf("  weights       SHA-256 %s%n", summary.digests().weights());
        out.printf("Report: %s%n", new RunDirectory(run).report());
        if (summary.end().kind() == Summary.End.Kind.REQUEST) {
            out.printf("Resume with: darkroom train --resume %s%n", run);
        }
        out.flush();
    }

    private static String ending(Summary summary, String checkpoint) {
        return switch (summary.end().kind()) {
            case COMPLETED -> "%d steps done.".formatted(summary.steps());
            case RULE ->
                "Stopped by rule after %d steps: %s."
                        .formatted(summary.steps(), summary.end().reason());
            case REQUEST ->
                "Interrupted after %d of %d steps; %s.".formatted(summary.steps(), summary.stepsPlanned(), checkpoint);
            case FAILED ->
                "Failed after %d of %d steps; %s.".formatted(summary.steps(), summary.stepsPlanned(), checkpoint);
        };
    }

    private static OptionalDouble reference(Summary summary) {
        return summary.cleanReference() == null
                ? OptionalDouble.empty()
                : summary.cleanReference().groundTruth();
    }

    private static void figure(
            PrintWriter out, String name, String format, Summary.Figure figure, OptionalDouble reference) {
        if (figure.start().isEmpty()) {
            return;
        }
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "  %-13s ", name))
                .append(String.format(Locale.ROOT, format, figure.start().getAsDouble()));
        figure.end().ifPresent(end -> line.append(" -> ").append(String.format(Locale.ROOT, format, end)));
        Summary.@Nullable Gain gain = figure.gain();
        if (gain != null) {
            String interval = gain.low().isEmpty() || gain.high().isEmpty()
                    ? "no interval: " + Summary.Gain.NO_INTERVAL
                    : String.format(
                            Locale.ROOT,
                            "95 %% from %+.3f to %+.3f",
                            gain.low().getAsDouble(),
                            gain.high().getAsDouble());
            line.append(String.format(
                    Locale.ROOT,
                    " (%+.3f, %s; better on %.0f %% of %d tasks)",
                    gain.mean(),
                    interval,
                    100 * gain.better(),
                    gain.tasks()));
        }
        reference.ifPresent(value ->
                line.append("; clean base without reinforcement ").append(String.format(Locale.ROOT, format, value)));
        out.println(line);
    }
}
