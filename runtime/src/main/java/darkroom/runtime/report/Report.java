package darkroom.runtime.report;

import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.base.HtmlPages;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;

/**
 * {@code report.html}: a run on one page, built only from the files of its directory, so that it can be rebuilt at any
 * time, including for a run that is in progress or has died. It loads nothing: pictures, charts and styles are inlined.
 */
public final class Report {
    /** Number of newest incidents listed. */
    static final int INCIDENTS_MAX = 200;

    private final ReportFiles files;

    private Report(ReportFiles files) {
        this.files = files;
    }

    /**
     * Writes {@code report.html} into the directory of a run.
     *
     * @throws UncheckedIOException naming the file that cannot be read or written
     */
    public static void write(Path run) {
        RunDirectory directory = new RunDirectory(run);
        RunDirectory.write(
                directory.report(), HtmlPages.render("report.ftlh", new Report(new ReportFiles(directory)).page()));
    }

    private ReportPage page() {
        HeadlineSection headline = new HeadlineSection(files);
        LearningSection learning = new LearningSection(files);
        TasksSection tasks = new TasksSection(files);
        SheetsSection sheets = new SheetsSection(files);
        DecisionsSection decisions = new DecisionsSection(files.directory());
        TimeSection time = new TimeSection(files);
        return new ReportPage(
                headline.title(),
                headline.ending(),
                headline.facts(),
                headline.figures(),
                headline.honesty(),
                learning.learning(),
                new GroupsSection(files).groups(),
                learning.optimizer(),
                tasks.tasks(),
                tasks.changes(),
                sheets.comparison(),
                sheets.training(),
                decisions.lines(),
                decisions.decisionsNote(),
                decisions.unscored(),
                decisions.noise(),
                incidents(),
                time.stages(),
                time.speed(),
                digests(),
                settings());
    }

    /** Returns nothing if only the start is recorded. */
    private List<ReportPage.Mishap> incidents() {
        List<Incident> all = JsonLines.read(files.directory().incidents(), Incident.class);
        if (all.size() <= 1) {
            return List.of();
        }
        return all.subList(Math.max(0, all.size() - INCIDENTS_MAX), all.size()).reversed().stream()
                .map(incident -> new ReportPage.Mishap(
                        Instant.ofEpochMilli(incident.at())
                                .truncatedTo(ChronoUnit.SECONDS)
                                .toString(),
                        incident.kind().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        incident.who(),
                        ReportText.plain(incident.text())))
                .toList();
    }

    private List<ReportPage.Fact> digests() {
        Summary known = files.summary();
        if (known == null) {
            return List.of();
        }
        RunDigests digests = known.digests();
        return List.of(
                new ReportPage.Fact("weights", digests.weights()),
                new ReportPage.Fact("optimizer", digests.optimizer()),
                new ReportPage.Fact("decisions", digests.decisions()));
    }

    private String settings() {
        try {
            return Files.exists(files.directory().settings())
                    ? ReportText.plain(Files.readString(files.directory().settings()))
                    : "";
        } catch (IOException e) {
            throw RunDirectory.failed("read", files.directory().settings(), e);
        }
    }
}
