package darkroom.edittasks.tasks;

import java.util.HashMap;
import java.util.Map;

/**
 * The combination of task, subject and attribute of a row: the unit that is trained on or held out.
 *
 * <p>Pairs decide. Each pair (task, subject) and each pair (task, attribute) falls into one of eight slots: slot 0 is held
 * out, slot 4 is for validation. A combination is held out if either of its pairs is, else for validation if either of its
 * pairs is. The slot of a subject or attribute moves on by one with each task type, so a pair held out in one task is trained
 * in most others.
 *
 * @param subject the object, word or pose of the edit
 * @param attribute colour, background or other new value; empty without one
 * @param attributeSlot number of the attribute among its kind, -1 where attributes are not held out
 */
public record Combination(TaskType task, String subject, String attribute, int attributeSlot) {
    static final int SLOTS = 8;

    private static final Map<String, Integer> PLACES = new HashMap<>();

    static {
        Catalogue.WORDS.forEach(word -> PLACES.put(word, PLACES.size()));
        Catalogue.OBJECTS.forEach(thing -> PLACES.put(thing.say(), PLACES.size()));
    }

    Combination(TaskType task, String subject) {
        this(task, subject, "", -1);
    }

    Split split() {
        int subjectSlot = Math.floorMod(PLACES.getOrDefault(subject, stableHash(subject)) + task.number(), SLOTS);
        int slot = attributeSlot < 0 ? 1 : Math.floorMod(attributeSlot + task.number(), SLOTS);
        if (subjectSlot == 0 || slot == 0) {
            return Split.HELD_OUT;
        }
        return subjectSlot == 4 || slot == 4 ? Split.VALIDATION : Split.TRAIN;
    }

    String key() {
        return task.label() + "/" + subject + (attribute.isEmpty() ? "" : "/" + attribute);
    }

    public static int stableHash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return (int) (Draws.mix(hash) >>> 33);
    }
}
