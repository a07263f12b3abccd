package darkroom.runtime;

import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.ledger.LedgerSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The images of a ledger as comma-separated values (RFC 4180), in (step, group, slot) order; a missing value is empty. */
final class LedgerTable {
    private static final List<String> COLUMNS = List.of(
            "step",
            "group",
            "slot",
            "row",
            "version",
            "latent",
            "pixels",
            "score",
            "label_mass",
            "scorer",
            "unscored",
            "attempts",
            "decision",
            "reason");

    private record Place(int step, int group) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            return step != other.step ? Integer.compare(step, other.step) : Integer.compare(group, other.group);
        }
    }

    private final Map<Integer, LedgerEvent.StepOpened> opened = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupGenerated> generated = new TreeMap<>();
    private final Map<Place, Map<Integer, LedgerEvent.SampleOutcome>> fates = new HashMap<>();
    private final Map<Place, LedgerEvent.GroupJudged> judged = new HashMap<>();

    private LedgerTable() {}

    /** Returns a line with the column names and one line per image. */
    static List<String> lines(LedgerSnapshot snapshot) {
        LedgerTable table = new LedgerTable();
        snapshot.events().forEach(table::note);
        List<String> lines = new ArrayList<>(List.of(line(COLUMNS.stream())));
        table.generated.forEach((place, group) -> {
            for (int slot = 0; slot < group.images().size(); slot++) {
                lines.add(table.line(place, group, slot));
            }
        });
        return lines;
    }

    private void note(LedgerEvent event) {
        switch (event) {
            case LedgerEvent.StepOpened step -> opened.put(step.step(), step);
            case LedgerEvent.GroupGenerated group -> generated.put(new Place(group.step(), group.group()), group);
            case LedgerEvent.SampleOutcome fate ->
                fates.computeIfAbsent(new Place(fate.step(), fate.group()), _ -> new HashMap<>())
                        .put(fate.slot(), fate);
            case LedgerEvent.GroupJudged group -> judged.put(new Place(group.step(), group.group()), group);
            case LedgerEvent.RunOpened _,
                    LedgerEvent.GroupLost _,
                    LedgerEvent.StepCommitted _,
                    LedgerEvent.CheckpointWritten _ -> {}
        }
    }

    private String line(Place place, LedgerEvent.GroupGenerated group, int slot) {
        LedgerEvent.StepOpened step = opened.get(place.step());
        LedgerEvent.GroupJudged decision = judged.get(place);
        LedgerEvent.ImageDigest image = group.images().get(slot);
        List<@Nullable Object> values = new ArrayList<>();
        values.add(place.step());
        values.add(place.group());
        values.add(slot);
        values.add(step == null ? null : step.rows().get(place.group()));
        values.add(group.version());
        values.add(image.latent());
        values.add(image.pixels());
        switch (fates.getOrDefault(place, Map.of()).get(slot)) {
            case LedgerEvent.SlotScored scored -> {
                values.add(scored.score());
                values.add(scored.labelMass());
                values.add(scored.scorer());
                values.add(null);
                values.add(scored.attempts());
            }
            case LedgerEvent.SlotUnscored unscored -> {
                values.add(null);
                values.add(null);
                values.add(null);
                values.add(unscored.reason());
                values.add(unscored.attempts());
            }
            case null -> {
                for (int i = 0; i < 5; i++) {
                    values.add(null);
                }
            }
        }
        values.add(decision == null ? null : decision.fate().name().toLowerCase(Locale.ROOT));
        values.add(decision == null ? null : decision.reason());
        return line(values.stream().map(value -> value == null ? "" : value.toString()));
    }

    private static String line(Stream<String> cells) {
        return cells.map(LedgerTable::quoted).collect(Collectors.joining(","));
    }

    private static String quoted(String cell) {
        return cell.chars().noneMatch(sign -> sign == ',' || sign == '"' || sign == '\n' || sign == '\r')
                ? cell
                : '"' + cell.replace("\"", "\"\"") + '"';
    }
}
