package darkroom.runtime;

import darkroom.edittasks.InstructionVocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Counts what the embedded models leave out of instructions: words that they do not know, and what is beyond their length. */
final class InstructionLoss {
    private static final int WORDS_SHOWN = 12;

    /** Different words that are counted one by one, for each of the two kinds. */
    private static final int WORDS_MAX = 10_000;

    private final InstructionVocabulary vocabulary = InstructionVocabulary.embedded();
    private final Map<String, Long> unknown = new TreeMap<>();
    private final Map<String, Long> beyond = new TreeMap<>();
    private long instructions;
    private long withUnknown;
    private long tooLong;

    void add(String instruction) {
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

    /** One line for each kind of loss; empty if nothing is left out. */
    List<String> lines() {
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

    /** Most frequent first; ties by word. */
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
