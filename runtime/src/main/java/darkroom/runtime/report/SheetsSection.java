package darkroom.runtime.report;

import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.JsonLines;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Contact sheets: held-out edits before and after, and training groups. */
final class SheetsSection {
    /** Number of training contact sheets on the page, the newest and the oldest. */
    static final int TRAINING_SHEETS_MAX = 48;

    private final ReportFiles files;

    SheetsSection(ReportFiles files) {
        this.files = files;
    }

    List<ReportPage.Strip> comparison() {
        List<ContactSheet> sheets = JsonLines.read(files.directory().sheets(), ContactSheet.class);
        return sheets.stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.COMPARISON)
                .reduce((_, later) -> later)
                .or(() -> sheets.stream()
                        .filter(sheet -> sheet.kind() == ContactSheet.Kind.BEFORE)
                        .reduce((_, later) -> later))
                .map(this::strips)
                .orElse(List.of());
    }

    List<ReportPage.Step> training() {
        List<ContactSheet> all = JsonLines.read(files.directory().sheets(), ContactSheet.class).stream()
                .filter(sheet -> sheet.kind() == ContactSheet.Kind.TRAINING)
                .sorted(Comparator.comparingInt(ContactSheet::step))
                .toList();
        List<ContactSheet> shown = new ArrayList<>(all.subList(0, Math.min(all.size(), TRAINING_SHEETS_MAX / 2)));
        shown.addAll(all.subList(Math.max(shown.size(), all.size() - TRAINING_SHEETS_MAX / 2), all.size()));
        Map<Integer, List<ReportPage.Strip>> byStep = new TreeMap<>();
        for (ContactSheet sheet : shown) {
            byStep.computeIfAbsent(sheet.step(), _ -> new ArrayList<>()).addAll(strips(sheet));
        }
        return byStep.entrySet().stream()
                .map(step -> new ReportPage.Step("Step " + ReportText.grouped(step.getKey()), step.getValue()))
                .toList();
    }

    private List<ReportPage.Strip> strips(ContactSheet sheet) {
        List<List<@Nullable RgbImage>> images = sheet.images(files.directory());
        return IntStream.range(0, sheet.rows().size())
                .mapToObj(r -> strip(sheet.rows().get(r), images.get(r)))
                .toList();
    }

    private static ReportPage.Strip strip(ContactSheet.Row row, List<@Nullable RgbImage> images) {
        DoubleSummaryStatistics scores = row.cells().stream()
                .map(ContactSheet.Cell::reward)
                .flatMapToDouble(OptionalDouble::stream)
                .summaryStatistics();
        OptionalDouble best = row.decision() != null && scores.getMax() > scores.getMin()
                ? OptionalDouble.of(scores.getMax())
                : OptionalDouble.empty();
        List<ReportPage.Tile> tiles = new ArrayList<>();
        ContactSheet.Role before = ContactSheet.Role.NONE;
        for (int c = 0; c < images.size(); c++) {
            RgbImage image = images.get(c);
            ContactSheet.Cell cell = row.cells().get(c);
            if (image != null) {
                tiles.add(tile(cell, image, cell.role() != before && !tiles.isEmpty(), best));
                before = cell.role();
            }
        }
        return new ReportPage.Strip(
                ReportText.plain(row.taskType()),
                ReportText.plain(row.instruction()),
                row.decision() == null ? "" : row.decision().name().toLowerCase(Locale.ROOT),
                row.reason() == null ? "" : ReportText.plain(row.reason()),
                tiles);
    }

    private static ReportPage.Tile tile(ContactSheet.Cell cell, RgbImage image, boolean first, OptionalDouble best) {
        String role = cell.role().name().toLowerCase(Locale.ROOT);
        boolean edit =
                switch (cell.role()) {
                    case EDIT, BEFORE, AFTER -> true;
                    case SOURCE, REFERENCE, TARGET, NONE -> false;
                };
        String unscored = cell.unscored();
        return new ReportPage.Tile(
                role,
                first,
                cell.reward().isPresent() && cell.reward().equals(best) ? "best" : unscored == null ? "" : "unscored",
                Base64.getEncoder().encodeToString(image.png()),
                role,
                edit ? cell.reward().isPresent() ? ReportText.fixed(cell.reward(), 2) : "unscored" : role,
                cell.groundTruth().isPresent() ? ReportText.fixed(cell.groundTruth(), 2) : "",
                unscored == null ? "" : ReportText.plain(unscored));
    }
}
