package darkroom.actors.wire;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import darkroom.actors.device.LearnerState;
import darkroom.actors.device.Prompt;
import darkroom.tensors.TensorRef;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.jspecify.annotations.Nullable;

/**
 * The binary layout of values, by the types that records declare for them.
 *
 * <p>A record is its components in order, and nothing else. Integers are of variable length; a text is one byte per char if
 * that is enough, and else two, so that nothing is lost, not even half a surrogate pair; an enum constant is its ordinal; a
 * {@code @Nullable} or {@code Optional} value has a byte before it; a list has its size; a set has its size, and its
 * elements in the order of their bytes. The id of the class precedes the value only where the declared type is one of the
 * project's sealed interfaces. A text, and a record of {@link #REPEATED}, that has been in the message before is its number
 * there. A declared type that is none of these cannot be sent, and the first message reports it.
 *
 * <p>For one message at a time.
 */
final class WireTypes {
    private static final Layout INT =
            layout((kryo, to, value) -> to.writeVarInt((Integer) value, false), (kryo, from) -> from.readVarInt(false));

    private static final Layout DURATION = layout(
            (kryo, to, value) -> {
                to.writeVarLong(((Duration) value).toSeconds(), false);
                to.writeVarInt(((Duration) value).toNanosPart(), true);
            },
            (kryo, from) -> Duration.ofSeconds(from.readVarLong(false), from.readVarInt(true)));

    private static final Map<Type, Layout> PLAIN = Map.of(
            int.class,
            INT,
            Integer.class,
            INT,
            long.class,
            layout((kryo, to, value) -> to.writeVarLong((Long) value, false), (kryo, from) -> from.readVarLong(false)),
            double.class,
            layout((kryo, to, value) -> to.writeDouble((Double) value), (kryo, from) -> from.readDouble()),
            boolean.class,
            layout((kryo, to, value) -> to.writeBoolean((Boolean) value), (kryo, from) -> flag(from)),
            Duration.class,
            DURATION);

    /** Classes whose values a message may contain many times: the twelve images of a group have one prompt. */
    private static final Set<Class<?>> REPEATED = Set.of(Prompt.class, TensorRef.class, LearnerState.class);

    private static final int LATIN_1 = 0;
    private static final int UTF_16 = 1;
    private static final int SAME_AS = 2;
    private static final int TEXT_KINDS_BITS = 2;
    private static final int TEXT_KINDS = (1 << TEXT_KINDS_BITS) - 1;

    private final WireRepeats repeats = new WireRepeats();
    private final Layout text =
            layout((kryo, to, value) -> writeText(to, (String) value), (kryo, from) -> readText(from));
    private final Layout actorRef;

    /**
     * @param refs converts references to actors into texts and back
     */
    WireTypes(ActorRefResolver refs) {
        this.actorRef = layout(
                (kryo, to, value) -> writeText(to, refs.toSerializationFormat((ActorRef<?>) value)),
                (kryo, from) -> refs.resolveActorRef(readText(from)));
    }

    /** Clears all state at the end of a message, whether read, written or failed. */
    void forget() {
        repeats.clear();
    }

    /** Returns the layout of a registered subclass of {@code bound}, preceded by its id. */
    static Layout oneOf(Class<?> bound) {
        return layout((kryo, to, value) -> kryo.writeClassAndObject(to, value), (kryo, from) -> {
            Registration found = kryo.readClass(from);
            if (found == null) {
                throw new WireException("nothing stands where a %s belongs".formatted(bound.getName()));
            }
            Class<?> type = found.getType();
            if (!bound.isAssignableFrom(type)) {
                throw new WireException("a %s stands where a %s belongs".formatted(type.getName(), bound.getName()));
            }
            return kryo.readObject(from, type);
        });
    }

    /**
     * Returns the serializer of one class of {@link WireClasses}.
     *
     * @throws IllegalArgumentException if it has a component that cannot be sent
     */
    Serializer<Object> serializer(Class<?> type) {
        return type.isEnum() ? constant(type) : new Records(type);
    }

    private static Layout constant(Class<?> type) {
        List<?> constants = List.of(type.getEnumConstants());
        return layout((kryo, to, value) -> to.writeVarInt(constants.indexOf(value), true), (kryo, from) -> {
            int index = from.readVarInt(true);
            if (index < 0 || index >= constants.size()) {
                throw new WireException("%s has no constant %d".formatted(type.getName(), index));
            }
            return constants.get(index);
        });
    }

    private Layout of(Type declared, RecordComponent component) {
        Layout plain = declared == String.class ? text : PLAIN.get(declared);
        if (plain != null) {
            return plain;
        }
        return switch (declared) {
            case Class<?> type
            when type.isRecord() || type.isEnum() -> {
                Layout registered = layout(
                        (kryo, to, value) -> kryo.writeObject(to, value), (kryo, from) -> kryo.readObject(from, type));
                yield REPEATED.contains(type) ? onceInFull(type, registered) : registered;
            }
            case Class<?> type when type.isSealed() && type.getPackageName().startsWith("darkroom.") -> oneOf(type);
            case TypeVariable<?> variable -> of(variable.getBounds()[0], component);
            case ParameterizedType type when type.getRawType() == ActorRef.class -> actorRef;
            case ParameterizedType type
            when type.getRawType() instanceof Class<?> raw && (raw.isRecord() || raw.isSealed()) -> of(raw, component);
            case ParameterizedType type
            when type.getRawType() == Optional.class -> optional(of(type.getActualTypeArguments()[0], component));
            case ParameterizedType type
            when type.getRawType() == List.class -> list(of(type.getActualTypeArguments()[0], component));
            case ParameterizedType type
            when type.getRawType() == Set.class -> set(of(type.getActualTypeArguments()[0], component));
            default ->
                throw new IllegalArgumentException("%s of %s is a %s, which no message between nodes may have"
                        .formatted(
                                component.getName(),
                                component.getDeclaringRecord().getName(),
                                declared.getTypeName()));
        };
    }

    private Layout onceInFull(Class<?> type, Layout inFull) {
        return layout(
                (kryo, to, value) -> {
                    int before = repeats.numberOf(value);
                    to.writeVarInt(before + 1, true);
                    if (before == WireRepeats.NEW) {
                        inFull.write(kryo, to, value);
                        repeats.wrote(value);
                    }
                },
                (kryo, from) -> {
                    int before = from.readVarInt(true) - 1;
                    if (before != WireRepeats.NEW) {
                        return repeats.get(before, type);
                    }
                    Object value = inFull.read(kryo, from);
                    repeats.found(value);
                    return value;
                });
    }

    private static Layout optional(Layout there) {
        return layout(
                (kryo, to, value) -> {
                    Optional<?> optional = (Optional<?>) value;
                    to.writeBoolean(optional.isPresent());
                    optional.ifPresent(one -> there.write(kryo, to, one));
                },
                (kryo, from) -> flag(from) ? Optional.of(there.read(kryo, from)) : Optional.empty());
    }

    private static Layout list(Layout element) {
        return layout(
                (kryo, to, value) -> {
                    List<?> list = (List<?>) value;
                    to.writeVarInt(list.size(), true);
                    list.forEach(one -> element.write(kryo, to, one));
                },
                (kryo, from) -> List.copyOf(elements(kryo, from, element, new ArrayList<>())));
    }

    /** Layout of a set: its iteration order differs from process to process; the order of the elements' bytes does not. */
    private Layout set(Layout element) {
        return layout(
                (kryo, to, value) -> {
                    Set<?> set = (Set<?>) value;
                    boolean before = repeats.pause(true);
                    to.writeVarInt(set.size(), true);
                    List<byte[]> each = new ArrayList<>();
                    for (Object one : set) {
                        Output alone = new Output(16, -1);
                        element.write(kryo, alone, one);
                        each.add(alone.toBytes());
                    }
                    var _ = repeats.pause(before);
                    each.sort(Arrays::compareUnsigned);
                    each.forEach(to::writeBytes);
                },
                (kryo, from) -> {
                    boolean before = repeats.pause(true);
                    Set<?> set = Set.copyOf(elements(kryo, from, element, new LinkedHashSet<>()));
                    var _ = repeats.pause(before);
                    return set;
                });
    }

    private static Collection<Object> elements(Kryo kryo, Input from, Layout element, Collection<Object> all) {
        int size = count(from);
        for (int i = 0; i < size; i++) {
            Object one = element.read(kryo, from);
            if (!all.add(one)) {
                throw new WireException("a set has %s twice".formatted(one));
            }
        }
        return all;
    }

    private void writeText(Output to, String value) {
        int before = repeats.numberOf(value);
        if (before != WireRepeats.NEW) {
            to.writeVarInt(before << TEXT_KINDS_BITS | SAME_AS, true);
            return;
        }
        repeats.wrote(value);
        if (isLatin(value)) {
            to.writeVarInt(value.length() << TEXT_KINDS_BITS | LATIN_1, true);
            to.writeBytes(value.getBytes(StandardCharsets.ISO_8859_1));
        } else {
            to.writeVarInt(value.length() << TEXT_KINDS_BITS | UTF_16, true);
            for (int i = 0; i < value.length(); i++) {
                to.writeShort(value.charAt(i));
            }
        }
    }

    private static boolean isLatin(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) >= 1 << Byte.SIZE) {
                return false;
            }
        }
        return true;
    }

    private String readText(Input from) {
        int head = from.readVarInt(true);
        int count = head >>> TEXT_KINDS_BITS;
        switch (head & TEXT_KINDS) {
            case LATIN_1 -> {
                String value = new String(from.readBytes(bounded(count, from)), StandardCharsets.ISO_8859_1);
                repeats.found(value);
                return value;
            }
            case UTF_16 -> {
                char[] chars = new char[bounded(count, from)];
                for (int i = 0; i < chars.length; i++) {
                    chars[i] = (char) from.readShort();
                }
                String value = new String(chars);
                repeats.found(value);
                return value;
            }
            case SAME_AS -> {
                return repeats.get(count, String.class);
            }
            default -> throw new WireException(head + " begins no text");
        }
    }

    /**
     * Reads a number of elements of at least one byte each: the memory allocated for them is bounded by the available
     * bytes.
     */
    private static int count(Input from) {
        return bounded(from.readVarInt(true), from);
    }

    private static int bounded(int count, Input from) {
        int left = from.limit() - from.position();
        if (count < 0 || count > left) {
            throw new WireException(
                    "%d things are announced and %d bytes are left".formatted(Integer.toUnsignedLong(count), left));
        }
        return count;
    }

    private static boolean flag(Input from) {
        byte value = from.readByte();
        if (value != 0 && value != 1) {
            throw new WireException(value + " is neither there nor not there");
        }
        return value == 1;
    }

    private static Layout layout(Writer writer, Reader reader) {
        return new Layout(writer, reader);
    }

    private interface Writer {
        void write(Kryo kryo, Output to, Object value);
    }

    private interface Reader {
        Object read(Kryo kryo, Input from);
    }

    /** The binary layout of values of one declared type. */
    static final class Layout extends Serializer<Object> {
        private final Writer writer;
        private final Reader reader;

        private Layout(Writer writer, Reader reader) {
            super(true);
            this.writer = writer;
            this.reader = reader;
        }

        @Override
        public void write(Kryo kryo, Output to, Object value) {
            writer.write(kryo, to, value);
        }

        @Override
        public Object read(Kryo kryo, Input from, Class<?> type) {
            return read(kryo, from);
        }

        Object read(Kryo kryo, Input from) {
            return reader.read(kryo, from);
        }
    }

    /** A record, read completely and then created by its constructor, which rejects invalid values. */
    private final class Records extends Serializer<Object> {
        private final List<Part> parts = new ArrayList<>();
        private final Constructor<?> constructor;

        private record Part(String name, Method accessor, boolean nullable, Layout layout) {}

        Records(Class<?> type) {
            super(false, true);
            RecordComponent[] components = type.getRecordComponents();
            for (RecordComponent component : components) {
                parts.add(new Part(
                        component.getName(),
                        component.getAccessor(),
                        component.getAnnotatedType().isAnnotationPresent(Nullable.class),
                        of(component.getGenericType(), component)));
            }
            try {
                constructor = type.getDeclaredConstructor(
                        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
            } catch (NoSuchMethodException impossible) {
                throw new IllegalStateException("a record without its constructor", impossible);
            }
        }

        @Override
        public void write(Kryo kryo, Output to, Object message) {
            for (Part part : parts) {
                Object value = value(part, message);
                if (part.nullable()) {
                    to.writeBoolean(value != null);
                } else if (value == null) {
                    throw new WireException("%s of %s is null, and not declared so"
                            .formatted(part.name(), message.getClass().getName()));
                }
                if (value != null) {
                    part.layout().write(kryo, to, value);
                }
            }
        }

        private static @Nullable Object value(Part part, Object message) {
            try {
                return part.accessor().invoke(message);
            } catch (IllegalAccessException | InvocationTargetException unreadable) {
                throw new WireException("%s of %s cannot be read".formatted(part.name(), message), unreadable);
            }
        }

        @Override
        public Object read(Kryo kryo, Input from, Class<?> type) {
            @Nullable Object[] values = new @Nullable Object[parts.size()];
            for (int i = 0; i < values.length; i++) {
                Part part = parts.get(i);
                values[i] = !part.nullable() || flag(from) ? part.layout().read(kryo, from) : null;
            }
            try {
                return constructor.newInstance(values);
            } catch (InvocationTargetException refused) {
                throw new WireException("%s: %s".formatted(type.getName(), refused.getCause()), refused);
            } catch (ReflectiveOperationException impossible) {
                throw new IllegalStateException(type + " cannot be made", impossible);
            }
        }
    }
}
