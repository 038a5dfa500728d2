package org.hindmq.interop;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

import javax.jms.BytesMessage;
import javax.jms.MapMessage;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.ObjectMessage;
import javax.jms.Session;
import javax.jms.StreamMessage;
import javax.jms.TextMessage;

/** Every message type and every property type, there and back, compared value by value. */
final class TypeFlows {
   private TypeFlows() { }

   static void add(Map<String, Flow.Body> m) {
      m.put("properties", TypeFlows::properties);
      m.put("text", TypeFlows::text);
      m.put("bytes", TypeFlows::bytes);
      m.put("map", TypeFlows::map);
      m.put("stream", TypeFlows::stream);
      m.put("object", TypeFlows::object);
      m.put("empty", TypeFlows::empty);
      m.put("near-limit", TypeFlows::nearLimit);
   }

   private static Map<String, Object> values() {
      Map<String, Object> v = new LinkedHashMap<>();
      v.put("aTrue", true);
      v.put("aFalse", false);
      v.put("byteMin", Byte.MIN_VALUE);
      v.put("byteMax", Byte.MAX_VALUE);
      v.put("shortMin", Short.MIN_VALUE);
      v.put("shortMax", Short.MAX_VALUE);
      v.put("intMin", Integer.MIN_VALUE);
      v.put("intMax", Integer.MAX_VALUE);
      v.put("longMin", Long.MIN_VALUE);
      v.put("longMax", Long.MAX_VALUE);
      v.put("floatMin", Float.MIN_VALUE);
      v.put("floatNaN", Float.NaN);
      v.put("doubleMax", Double.MAX_VALUE);
      v.put("doubleInf", Double.NEGATIVE_INFINITY);
      v.put("string", "plain");
      v.put("unicode", "Gr\u00fc\u00dfe \u20ac \ud83d\udc26 \u4f60\u597d");
      v.put("emptyString", "");
      v.put("longString", new String(new char[5_000]).replace('\0', 'x'));
      return v;
   }

   /** Sends a message with its type's body, receives it, and returns what came. */
   private static Message trip(Session s, Flow f, Message m) throws Exception {
      MessageProducer p = s.createProducer(f.queue(s));
      p.send(m);
      p.close();
      MessageConsumer c = s.createConsumer(f.queue(s));
      Message r = Flow.must(c, "message");
      c.close();
      return r;
   }

   static void properties(Flow f) throws Exception {
      Session s = f.auto();
      Message m = s.createTextMessage("p");
      Map<String, Object> v = values();
      for (Map.Entry<String, Object> e : v.entrySet()) m.setObjectProperty(e.getKey(), e.getValue());
      m.setObjectProperty("nothing", null);
      Message r = trip(s, f, m);
      for (Map.Entry<String, Object> e : v.entrySet()) Flow.same(e.getValue(), r.getObjectProperty(e.getKey()), "property " + e.getKey());
      Flow.check(r.propertyExists("nothing") == m.propertyExists("nothing"), "a null property exists on one side only");
      Flow.same(null, r.getObjectProperty("nothing"), "null property");
      TreeSet<String> names = new TreeSet<>();
      for (Enumeration<?> e = r.getPropertyNames(); e.hasMoreElements(); ) {
         String n = (String) e.nextElement();
         if (!n.startsWith("JMS") && !n.startsWith("_") && !n.equals("nothing")) names.add(n);
      }
      Flow.same(new TreeSet<>(v.keySet()), names, "property names");
   }

   static void text(Flow f) throws Exception {
      Session s = f.auto();
      String[] texts = {"x", "", null, "Gr\u00fc\u00dfe \u20ac \ud83d\udc26", new String(new char[30_000]).replace('\0', '\u00e9')};
      for (String t : texts) {
         Message r = trip(s, f, s.createTextMessage(t));
         Flow.check(r instanceof TextMessage, "text came as " + r.getClass());
         Flow.same(t, ((TextMessage) r).getText(), "text");
      }
   }

   static void bytes(Flow f) throws Exception {
      Session s = f.auto();
      BytesMessage b = s.createBytesMessage();
      byte[] raw = new byte[1_000];
      for (int i = 0; i < raw.length; i++) raw[i] = (byte) (i * 31);
      b.writeBoolean(true);
      b.writeByte((byte) -5);
      b.writeShort((short) -300);
      b.writeChar('\u20ac');
      b.writeInt(-70_000);
      b.writeLong(Long.MIN_VALUE + 1);
      b.writeFloat(1.5f);
      b.writeDouble(-2.25);
      b.writeUTF("utf \u00fc");
      b.writeBytes(raw);
      BytesMessage r = (BytesMessage) trip(s, f, b);
      b.reset();
      Flow.same(b.getBodyLength(), r.getBodyLength(), "length");
      Flow.same(true, r.readBoolean(), "boolean");
      Flow.same((byte) -5, r.readByte(), "byte");
      Flow.same((short) -300, r.readShort(), "short");
      Flow.same('\u20ac', r.readChar(), "char");
      Flow.same(-70_000, r.readInt(), "int");
      Flow.same(Long.MIN_VALUE + 1, r.readLong(), "long");
      Flow.same(1.5f, r.readFloat(), "float");
      Flow.same(-2.25, r.readDouble(), "double");
      Flow.same("utf \u00fc", r.readUTF(), "utf");
      byte[] got = new byte[1_000];
      Flow.same(1_000, r.readBytes(got), "raw length");
      Flow.check(Arrays.equals(raw, got), "raw bytes differ");
   }

   static void map(Flow f) throws Exception {
      Session s = f.auto();
      MapMessage m = s.createMapMessage();
      Map<String, Object> v = values();
      v.put("char", '\u00fc');
      for (Map.Entry<String, Object> e : v.entrySet()) m.setObject(e.getKey(), e.getValue());
      m.setBytes("bytes", new byte[] {1, 2, -3});
      m.setString("nothing", null);
      MapMessage r = (MapMessage) trip(s, f, m);
      for (Map.Entry<String, Object> e : v.entrySet()) Flow.same(e.getValue(), r.getObject(e.getKey()), "map " + e.getKey());
      Flow.check(Arrays.equals(new byte[] {1, 2, -3}, r.getBytes("bytes")), "map bytes differ");
      Flow.same(null, r.getString("nothing"), "map null");
      int n = 0;
      for (Enumeration<?> e = r.getMapNames(); e.hasMoreElements(); e.nextElement()) n++;
      Flow.same(v.size() + 2, n, "map size");
   }

   static void stream(Flow f) throws Exception {
      Session s = f.auto();
      StreamMessage m = s.createStreamMessage();
      List<Object> v = new ArrayList<>(values().values());
      v.add('x');
      for (Object o : v) m.writeObject(o);
      m.writeBytes(new byte[] {9, 8, 7});
      StreamMessage r = (StreamMessage) trip(s, f, m);
      for (Object o : v) Flow.same(o, r.readObject(), "stream element");
      Flow.check(Arrays.equals(new byte[] {9, 8, 7}, (byte[]) r.readObject()), "stream bytes differ");
   }

   static void object(Flow f) throws Exception {
      Session s = f.auto();
      HashMap<String, Serializable> v = new HashMap<>();
      v.put("list", new ArrayList<>(Arrays.asList(1, 2, 3)));
      v.put("text", "object");
      f.factory.setDeserializationWhiteList("java.util,java.lang");
      Message r = trip(s, f, s.createObjectMessage(v));
      Flow.check(r instanceof ObjectMessage, "object came as " + r.getClass());
      Flow.same(v, ((ObjectMessage) r).getObject(), "object");
   }

   static void empty(Flow f) throws Exception {
      Session s = f.auto();
      Message[] all = {s.createMessage(), s.createTextMessage(), s.createBytesMessage(), s.createMapMessage(), s.createStreamMessage(), s.createObjectMessage()};
      for (Message m : all) {
         m.setStringProperty("only", "property");
         Message r = trip(s, f, m);
         Flow.same("property", r.getStringProperty("only"), "property of an empty " + m.getClass().getSimpleName());
         Flow.same(m.getClass(), r.getClass(), "type of an empty message");
      }
   }

   /** The largest bodies that clients send as one packet: a byte more than 100 KiB encoded makes a large message. */
   static void nearLimit(Flow f) throws Exception {
      Session s = f.auto();
      for (int size : new int[] {1_024, 16_384, 65_535, 65_536, 100_000}) {
         BytesMessage b = s.createBytesMessage();
         byte[] raw = new byte[size];
         for (int i = 0; i < size; i++) raw[i] = (byte) (i * 7 + size);
         b.writeBytes(raw);
         BytesMessage r = (BytesMessage) trip(s, f, b);
         Flow.same((long) size, r.getBodyLength(), "length");
         byte[] got = new byte[size];
         r.readBytes(got);
         Flow.check(Arrays.equals(raw, got), size + " bytes differ");
      }
   }
}
