package darkroom.runtime.report;

import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.Measurement;
import darkroom.runtime.base.PrecisionChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;

/** Title, ending, held-out figures and totals of a run: the top of the report. */
final class HeadlineSection {
    private final ReportFiles files;

    HeadlineSection(ReportFiles files) {
        this.files = files;
    }

    String title() {
        Summary known = files.summary();
        return known == null
                ? files.directory()
                        .path()
                        .toAbsolutePath()
                        .normalize()
                        .getFileName()
                        .toString()
                : "%s from the %s base, seed %s".formatted(known.recipe(), known.base(), Long.toString(known.seed()));
    }

    String ending() {
        Summary known = files.summary();
        if (known == null) {
            return "This run has not ended: the figures are those of its files so far.";
        }
        String committed =
                "%s of %s steps".formatted(ReportText.grouped(known.steps()), ReportText.grouped(known.stepsPlanned()));
        return switch (known.end().kind()) {
            case COMPLETED -> "Completed: %s.".formatted(committed);
            case RULE ->
                "Ended by rule after %s: %s."
                        .formatted(committed, ReportText.plain(known.end().reason()));
            case REQUEST -> "Stopped on request after %s. It can be resumed.".formatted(committed);
            case FAILED ->
                "Failed after %s: %s"
                        .formatted(committed, ReportText.plain(known.end().reason()));
        };
    }

    List<ReportPage.Fact> facts() {
        StepMetrics.Groups groups = StepMetrics.Groups.NONE;
        StepMetrics.Images images = StepMetrics.Images.NONE;
        double seconds = 0;
        for (StepMetrics step : files.steps()) {
            groups = groups.plus(step.groups());
            images = images.plus(step.images());
            seconds += step.timings().sinceLastCommit();
        }
        List<ReportPage.Fact> facts = new ArrayList<>();
        facts.add(new ReportPage.Fact("steps", ReportText.grouped(files.steps().size())));
        facts.add(new ReportPage.Fact("training images", ReportText.grouped(images.issued())));
        facts.add(new ReportPage.Fact("unscored", ReportText.grouped(images.unscored())));
        facts.add(new ReportPage.Fact(
                "groups kept / dropped / abandoned",
                "%s / %s / %s"
                        .formatted(
                                ReportText.grouped(groups.kept()),
                                ReportText.grouped(groups.dropped()),
                                ReportText.grouped(groups.abandoned()))));
        if (seconds > 0) {
            facts.add(new ReportPage.Fact("training time", ReportText.time(seconds)));
            facts.add(new ReportPage.Fact("images per second", ReportText.fixed(images.issued() / seconds, 1)));
        }
        PrecisionChoice.read(files.directory().path())
                .ifPresent(choice -> facts.add(new ReportPage.Fact("precision", ReportText.plain(choice.describe()))));
        return facts;
    }

    List<ReportPage.Figure> figures() {
        return List.of(
                figure(
                        "Ground truth",
                        "agreement with the exact target, 0 to 1",
                        Measurement.Averages::groundTruth,
                        Measurement::groundTruthGain,
                        3),
                figure("Reward", "the judge’s score, 0 to 1", Measurement.Averages::reward, Measurement::rewardGain, 3),
                figure(
                        "PSNR outside the edit",
                        "dB against the source; what should not change",
                        Measurement.Averages::psnrOutside,
                        Measurement::psnrOutsideGain,
                        2));
    }

    private ReportPage.Figure figure(
            String name,
            String unit,
            Function<Measurement.Averages, OptionalDouble> mean,
            Summary.Figure.Gains gains,
            int decimals) {
        Summary.Figure figure = Summary.Figure.of(
                files.evaluation(Evaluations.HELD_OUT_BEFORE),
                files.evaluation(Evaluations.HELD_OUT_AFTER),
                mean,
                gains);
        Summary.Gain gain = figure.gain();
        OptionalDouble clean = files.evaluation(Evaluations.CLEAN_REFERENCE)
                .map(found -> mean.apply(found.overall()))
                .orElse(OptionalDouble.empty());
        return new ReportPage.Figure(
                name,
                unit,
                ReportText.fixed(figure.start(), decimals),
                ReportText.fixed(figure.end(), decimals),
                gain == null ? "" : ReportText.signed(gain.mean(), decimals),
                gain == null
                        ? "measured before and after a whole run"
                        : "%s; better on %s %% of %s tasks"
                                .formatted(
                                        interval(gain, decimals),
                                        ReportText.fixed(100 * gain.better(), 0),
                                        ReportText.grouped(gain.tasks())),
                clean.isEmpty() ? "" : ReportText.fixed(clean, decimals));
    }

    private static String interval(Summary.Gain gain, int decimals) {
        return gain.low().isEmpty() || gain.high().isEmpty()
                ? "no interval: " + Summary.Gain.NO_INTERVAL
                : "95 %% interval %s to %s"
                        .formatted(
                                ReportText.signed(gain.low().getAsDouble(), decimals),
                                ReportText.signed(gain.high().getAsDouble(), decimals));
    }

    String honesty() {
        return files.evaluation(Evaluations.CLEAN_REFERENCE)
                .flatMap(clean -> clean.overall().groundTruth().stream().boxed().findFirst())
                .map(clean ->
                        ("The clean base, trained as long on correct pairs alone and never reinforced, reaches a ground"
                                        + " truth of %s on the same tasks.")
                                .formatted(ReportText.fixed(clean, 3)))
                .orElse("");
    }
}
