package darkroom.edittasks.tasks;

/** The phrases of instructions and requirements. */
final class Wording {
    private Wording() {}

    /** Returns a noun with its indefinite article. */
    static String indefinite(String noun) {
        return ("aeiou".indexOf(noun.charAt(0)) >= 0 && !noun.startsWith("u") ? "an " : "a ") + noun;
    }

    /** Returns the phrase for a backdrop, with the article that its name takes. */
    static String backdrop(String name) {
        return switch (name) {
            case "snow", "night", "fog", "mountains" -> name;
            case "sea" -> "the sea";
            default -> indefinite(name);
        };
    }
}
