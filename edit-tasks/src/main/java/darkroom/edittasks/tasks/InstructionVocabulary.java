package darkroom.edittasks.tasks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Converts instructions to the tokens of the embedded models. Words are matched longest phrase first, synonyms share a token,
 * words without a meaning of their own are dropped, and the new word of a sign is spelled. The token numbers are the line
 * numbers of {@code vocabulary.txt}; shipped weights depend on them.
 */
public final class InstructionVocabulary {
    /** Number of tokens of an encoded instruction; shorter ones are padded with 0. */
    public static final int LENGTH = 10;

    private static final int PHRASE_WORDS_MAX = 4;
    private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+(?:['-][\\p{L}\\p{N}]+)*");
    private static final Pattern CAPITALS = Pattern.compile("[A-Z]{2,4}");
    private static final Set<String> SIGN_WORDS = Set.of("sign", "text", "word", "letters", "lettering");
    private static final Set<String> SAYING = Set.of("to", "say", "says", "read", "reads", "saying", "with");

    private static final InstructionVocabulary EMBEDDED = new InstructionVocabulary();

    private final List<String> names = new ArrayList<>();
    private final Map<String, Integer> phrases = new HashMap<>();
    private final Set<String> stopWords = new HashSet<>(Catalogue.lines("stopwords.txt"));

    private InstructionVocabulary() {
        names.add("");
        for (String line : Catalogue.lines("vocabulary.txt")) {
            String[] wordings = line.split(" \\| ");
            for (String wording : wordings) {
                if (phrases.put(normal(wording), names.size()) != null) {
                    throw new IllegalStateException("vocabulary.txt: '" + wording + "' is in two lines");
                }
            }
            names.add(wordings[0]);
        }
    }

    /** Returns the vocabulary shared by all embedded models. */
    public static InstructionVocabulary embedded() {
        return EMBEDDED;
    }

    /** Returns the number of tokens, padding included: tokens are from 0 to {@code size() - 1}. */
    public int size() {
        return names.size();
    }

    /** Returns the first wording of a token, for instance {@code light bulb}; empty for padding. */
    public String name(int token) {
        return names.get(token);
    }

    /**
     * Returns the instruction as {@link #LENGTH} tokens. Unknown words are left out, and tokens beyond the length are cut
     * off.
     */
    public int[] encode(String instruction) {
        List<Integer> tokens = read(instruction, new ArrayList<>());
        int[] encoded = new int[LENGTH];
        for (int i = 0; i < Math.min(LENGTH, tokens.size()); i++) {
            encoded[i] = tokens.get(i);
        }
        return encoded;
    }

    /** Returns the words without a token, which {@link #encode} leaves out, in order. */
    public List<String> unknownWords(String instruction) {
        List<String> unknown = new ArrayList<>();
        read(instruction, unknown);
        return unknown;
    }

    /** Returns the names of the tokens beyond {@link #LENGTH}, which {@link #encode} leaves out, in order. */
    public List<String> wordsBeyond(String instruction) {
        List<Integer> tokens = read(instruction, new ArrayList<>());
        return tokens.subList(Math.min(LENGTH, tokens.size()), tokens.size()).stream()
                .map(this::name)
                .toList();
    }

    /** Returns the number of tokens of the whole instruction; {@link #encode} keeps the first {@link #LENGTH}. */
    public int tokens(String instruction) {
        return read(instruction, new ArrayList<>()).size();
    }

    private List<Integer> read(String instruction, List<String> unknown) {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(instruction);
        while (matcher.find()) {
            words.add(matcher.group());
        }
        List<Integer> tokens = new ArrayList<>();
        int written = writtenWord(words);
        int until = words.size();
        for (int i = 0; i < until; ) {
            if (i == written) {
                for (char letter : words.get(i).toUpperCase(Locale.ROOT).toCharArray()) {
                    tokens.add(token("letter " + letter));
                }
                i++;
            } else if (written >= 0 && CAPITALS.matcher(words.get(i)).matches()) {
                i++;
            } else {
                i += match(words, i, tokens, unknown);
            }
        }
        if (written >= 0 && !tokens.contains(token("text"))) {
            int verb = !tokens.isEmpty() && tokens.getFirst() == token("make") ? 1 : 0;
            tokens.add(verb, token("text"));
        }
        return tokens;
    }

    private int match(List<String> words, int at, List<Integer> tokens, List<String> unknown) {
        for (int count = Math.min(PHRASE_WORDS_MAX, words.size() - at); count > 0; count--) {
            String phrase = normal(String.join(" ", words.subList(at, at + count)));
            Integer token = phrases.get(phrase);
            if (token == null && phrase.endsWith("s")) {
                token = phrases.get(phrase.substring(0, phrase.length() - 1));
            }
            if (token != null) {
                tokens.add(token);
                return count;
            }
        }
        String word = normal(words.get(at));
        if (!stopWords.contains(word)) {
            unknown.add(words.get(at));
        }
        return 1;
    }

    /** Returns the index of the new word of a sign, -1 if the instruction is not about a sign. */
    private int writtenWord(List<String> words) {
        int capitals = -1;
        boolean sign = false;
        boolean shouting = true;
        int said = -1;
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            sign |= SIGN_WORDS.contains(normal(word));
            shouting &= word.equals(word.toUpperCase(Locale.ROOT));
            if (CAPITALS.matcher(word).matches()) {
                capitals = i;
            }
            if (sign
                    && i > 0
                    && SAYING.contains(normal(words.get(i - 1)))
                    && word.chars().allMatch(InstructionVocabulary::letter)) {
                said = i;
            }
        }
        if (sign && (said >= 0 || capitals >= 0) && !shouting) {
            return capitals >= 0 ? capitals : said;
        }
        return shouting ? (sign ? said : -1) : capitals;
    }

    private static boolean letter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private int token(String name) {
        Integer token = phrases.get(normal(name));
        if (token == null) {
            throw new IllegalStateException("vocabulary.txt lacks '" + name + "'; restore the committed file");
        }
        return token;
    }

    private static String normal(String phrase) {
        return phrase.toLowerCase(Locale.ROOT).replace('-', ' ');
    }

    /** Returns a readable form of encoded tokens, for messages. */
    public String decode(int[] tokens) {
        return String.join(
                " ",
                Arrays.stream(tokens)
                        .filter(token -> token > 0)
                        .mapToObj(this::name)
                        .toList());
    }
}
