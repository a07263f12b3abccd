package darkroom.runtime.report;

import darkroom.edittasks.tasks.InstructionVocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Counts the parts of instructions that the embedded models ignore: unknown words, and text beyond their length limit.
 */
public final class InstructionLoss {
    private static final int WORDS_SHOWN = 12;

    /** Number of different words that are counted individually, for each of the two kinds. */
    private static final int WORDS_MAX = 10_000;

    private final InstructionVocabulary vocabulary = InstructionVocabulary.embedded();
    private final Map<String, Long> unknown = new TreeMap<>();
    private final Map<String, Long> beyond = new TreeMap<>();
    private long instructions;
    private long withUnknown;
    private long tooLong;

    public void add(String instruction) {
        instructions++;
        List<String> unknownHere = vocabulary.unknownWords(instruction);
        List<String> beyondHere = vocabulary.wordsBeyond(instruction);
        withUnknown += unknownHere.isEmpty() ? 0 : 1;
        tooLong += beyondHere.isEmpty() ? 0 : 1;
        unknownHere.forEach(word -> count(unknown, word.toLowerCase(Locale.ROOT)));
        beyondHere.forEach(word -> count(beyond, word));
    }

    private static void count(Map<String, Long> counts, String word) {
        if (counts.containsKey(word) || counts.size() < WORDS_MAX) {
            counts.merge(word, 1L, Long::sum);
        }
    }

    /** Returns one line for each kind of loss; empty if nothing is ignored. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (withUnknown > 0) {
            lines.add("%d of %d instructions have words that the embedded models do not know and leave out: %s"
                    .formatted(withUnknown, instructions, shown(unknown)));
        }
        if (tooLong > 0) {
            lines.add(
                    "%d of %d instructions are longer than the %d tokens that the embedded models read; left out are: %s"
                            .formatted(tooLong, instructions, InstructionVocabulary.LENGTH, shown(beyond)));
        }
        return lines;
    }

    /** Returns the most frequent words first; ties by word. */
    private static String shown(Map<String, Long> counts) {
        String words = counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(WORDS_SHOWN)
                .map(entry -> entry.getValue() == 1 ? entry.getKey() : entry.getKey() + " (" + entry.getValue() + ")")
                .collect(Collectors.joining(", "));
        return counts.size() > WORDS_SHOWN ? words + " and " + (counts.size() - WORDS_SHOWN) + " more" : words;
    }
}
