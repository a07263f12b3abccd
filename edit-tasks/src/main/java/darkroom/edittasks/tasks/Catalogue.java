package darkroom.edittasks.tasks;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** All things that an instruction can name, in the order of the committed lists. */
final class Catalogue {
    /** An object: its icon, its name in instructions, and its dominant hue (-1 if it has none to change). */
    record Thing(String icon, String say, double hue) {
        /** Whether a change to {@code colour} would be visible. */
        boolean canBecome(Colour colour) {
            double apart = Math.abs(colour.hue() - hue);
            return hue >= 0 && Math.min(apart, 1 - apart) >= (colour.say().equals("green") ? .17 : .08);
        }
    }

    /** A colour that instructions name, with its hue from 0 to 1. */
    record Colour(String say, double hue) {}

    /**
     * One subject in several poses.
     *
     * @param poses from the verb of an instruction to the icon; verbs that start with {@code -} are starting poses only
     */
    record Poses(String subject, Map<String, String> poses) {}

    static final List<Thing> OBJECTS = lines("objects.txt").stream()
            .map(line -> line.split(" \\| "))
            .map(cells -> new Thing(cells[0], cells[1], cells[2].equals("-") ? -1 : Double.parseDouble(cells[2])))
            .toList();

    static final List<Colour> COLOURS = List.of(
            new Colour("red", 0),
            new Colour("orange", .075),
            new Colour("yellow", .15),
            new Colour("green", .34),
            new Colour("cyan", .5),
            new Colour("blue", .61),
            new Colour("purple", .77),
            new Colour("pink", .91));

    static final List<Poses> POSES = List.of(
            poses(
                    "cat",
                    "-sit=cat-face,cry=crying-cat,in"
                        + " love=smiling-cat-with-heart-eyes,angry=pouting-cat,kiss=kissing-cat,laugh=cat-with-tears-of-joy,smile=grinning-cat"),
            poses(
                    "person",
                    "stand=person-standing,run=person-running,walk=person-walking,kneel=person-kneeling,sit=person-in-lotus-position,cartwheel=person-cartwheeling"),
            poses(
                    "face",
                    "smile=slightly-smiling-face,cry=crying-face,angry=angry-face,sleep=sleeping-face,wink=winking-face,surprised=face-with-open-mouth,laugh=grinning-face"),
            poses("umbrella", "open=umbrella,close=closed-umbrella"),
            poses("book", "open=open-book,close=closed-book"),
            poses("lock", "open=unlocked,close=locked"),
            poses("chick", "-egg=hatching-chick,hatch=baby-chick"));

    /** Texts of signs: two to four letters. */
    static final List<String> WORDS = List.of(
            "CAT", "DOG", "OPEN", "EXIT", "SALE", "STOP", "BUS", "TAXI", "CAFE", "PARK", "ZOO", "SHOP", "INN", "BAR",
            "GYM", "SPA", "ART", "TEA", "PIE", "FUN", "SUN", "HOT", "ICE", "NEW", "OLD", "YES", "NO", "GO", "UP", "JOB",
            "VAN", "WIFI", "QUIZ", "MILK", "FISH", "KEY", "BOOK", "DUCK", "LOVE", "HELP");

    private Catalogue() {}

    /** Whether entry {@code index} of a list is excluded from all training: every twelfth. */
    static boolean unseen(int index) {
        return index % 12 == 11;
    }

    private static Poses poses(String subject, String text) {
        Map<String, String> poses = new LinkedHashMap<>();
        for (String pair : text.split(",")) {
            poses.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }
        return new Poses(subject, poses);
    }

    /** Returns a digest over all packaged art and lists. */
    static MessageDigest sha256() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            List<String> resources = new ArrayList<>(List.of(
                    Art.NOTO + ".json",
                    Art.FLAT + ".json",
                    Art.INK + ".json",
                    "objects.txt",
                    "stopwords.txt",
                    "vocabulary.txt"));
            Backdrop.PHOTOS.forEach(name -> resources.add(Art.PHOTOGRAPHS + name));
            Backdrop.UNSEEN_PHOTOS.forEach(name -> resources.add(Art.PHOTOGRAPHS + name));
            for (String resource : resources) {
                try (InputStream in = Catalogue.class.getResourceAsStream(resource)) {
                    digest.update(Objects.requireNonNull(in, resource).readAllBytes());
                }
            }
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> lines(String resource) {
        try (InputStream in = Catalogue.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(
                        "resource " + resource + " is missing from the edit-tasks jar; rebuild it");
            }
            List<String> lines = new ArrayList<>();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#") && !line.isBlank())
                    .forEach(lines::add);
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
